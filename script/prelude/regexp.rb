# SPDX-License-Identifier: Apache-2.0

class Regexp
  def self.union(*patterns)
    patterns = patterns[0] if patterns.length == 1 && patterns[0].is_a?(Array)
    return Regexp.new("(?!)") if patterns.empty?
    Regexp.new(patterns.map { |p| p.is_a?(Regexp) ? p.to_s : Regexp.escape(p.to_s) }.join("|"))
  end

  def to_s
    on = ""
    off = ""
    [["m", MULTILINE], ["i", IGNORECASE], ["x", EXTENDED]].each do |letter, bit|
      (options & bit) == 0 ? off += letter : on += letter
    end
    "(?#{on}#{off.empty? ? '' : '-' + off}:#{source})"
  end

  def inspect
    letters = ""
    [["m", MULTILINE], ["i", IGNORECASE], ["x", EXTENDED]].each { |letter, bit| letters += letter if (options & bit) != 0 }
    "/#{source}/#{letters}"
  end

  def casefold?
    (options & IGNORECASE) != 0
  end

  def ==(other)
    other.is_a?(Regexp) && source == other.source && options == other.options
  end
  alias eql? ==

  def hash
    to_s.hash
  end

  def ~
    self =~ $_
  end
end

class MatchData
  def [](which, count = nil)
    return to_a[which, count] if count
    which.is_a?(Range) ? to_a[which] : __group(which)
  end

  def captures
    to_a[1..-1]
  end

  def names
    regexp.names
  end

  def named_captures(symbolize_names: false)
    result = {}
    names.each { |name| result[symbolize_names ? name.to_sym : name] = __group(name) }
    result
  end

  def values_at(*which)
    which.map { |w| self[w] }
  end

  def offset(which)
    [self.begin(which), self.end(which)]
  end

  def to_s
    __group(0)
  end

  def deconstruct
    captures
  end

  def ==(other)
    other.is_a?(MatchData) && string == other.string && regexp == other.regexp && offset(0) == other.offset(0)
  end

  def inspect
    labels = names.length == to_a.length - 1 ? names : (1..to_a.length).to_a
    "#<MatchData #{to_a.each_with_index.map { |text, i| (i == 0 ? '' : "#{labels[i - 1]}:") + text.inspect }.join(' ')}>"
  end
end

class NilClass
  def =~(other)
    nil
  end
end

class Symbol
  def =~(pattern)
    to_s =~ pattern
  end

  def match(*arguments)
    to_s.match(*arguments)
  end

  def match?(*arguments)
    to_s.match?(*arguments)
  end
end
