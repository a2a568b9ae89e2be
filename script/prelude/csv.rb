# SPDX-License-Identifier: Apache-2.0
#
# Of Ruby's CSV what turns texts into rows and rows into texts: no headers, no files.

class CSV
  class MalformedCSVError < RuntimeError; end

  class << self
    def parse_line(text, col_sep: ",", quote_char: '"')
      __row(text.to_s, col_sep, quote_char)
    end

    # A row ends where its quotes are closed, so it may be several lines.
    def parse(text, col_sep: ",", quote_char: '"')
      rows = []
      record = ""
      quotes = 0
      text = text.to_s
      text.each_line(text.include?("\n") ? "\n" : "\r") do |line|
        record += line
        quotes += line.count(quote_char)
        next if quotes.odd?
        rows << __row(record, col_sep, quote_char)
        record = ""
      end
      rows << __row(record, col_sep, quote_char) unless record.empty?
      rows
    end

    def generate_line(row, col_sep: ",", quote_char: '"', row_sep: "\n", force_quotes: false)
      special = [col_sep, quote_char, "\r", "\n"]
      texts = row.map do |field|
        next (force_quotes ? quote_char * 2 : "") if field.nil?
        text = field.to_s
        quoted = force_quotes || text.empty? || special.any? { |one| text.include?(one) }
        quoted ? quote_char + text.gsub(quote_char) { quote_char * 2 } + quote_char : text
      end
      texts.join(col_sep) + row_sep
    end
  end
end

class String
  def parse_csv(**options)
    CSV.parse_line(self, **options)
  end
end

class Array
  def to_csv(**options)
    CSV.generate_line(self, **options)
  end
end
