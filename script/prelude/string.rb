# SPDX-License-Identifier: Apache-2.0
#
# String methods that mruby lacks, or has by bytes only. The most used ones are in C (string_class.c, string_patterns.c).

class Encoding
  class Error < StandardError; end
  class UndefinedConversionError < Error; end
  class InvalidByteSequenceError < Error; end
  class CompatibilityError < Error; end
  class ConverterNotFoundError < Error; end

  attr_reader :name

  def initialize(name)
    @name = name
  end
  alias to_s name

  def inspect
    "#<Encoding:#{@name}>"
  end

  UTF_8 = new("UTF-8")
  ASCII_8BIT = new("ASCII-8BIT")
  BINARY = ASCII_8BIT
  US_ASCII = new("US-ASCII")
  ISO_8859_1 = new("ISO-8859-1")
  UTF_16 = new("UTF-16")
  UTF_16LE = new("UTF-16LE")
  UTF_16BE = new("UTF-16BE")
  Windows_1252 = new("Windows-1252")

  def self.default_external
    UTF_8
  end

  def self.default_internal
    nil
  end
end

class String
  alias __bytes_split split
  alias __bytes_tr tr
  alias __bytes_inspect inspect
  alias __bytes_start_with? start_with?
  alias __bytes_swapcase swapcase
  alias __bytes_partition partition
  alias __bytes_rpartition rpartition

  def split(pattern = nil, limit = 0, &block)
    parts = if pattern.is_a?(Regexp) || pattern == ""
      __split(pattern, limit)
    elsif pattern.nil?
      __bytes_split(" ", limit)
    else
      __bytes_split(pattern, limit)
    end
    return parts unless block
    parts.each(&block)
    self
  end

  def []=(which, count, value = nil)
    if value.nil?
      value = count
      case which
      when Integer then __splice(which, 1, value)
      when Range
        start = which.begin || 0
        start += length if start < 0
        last = which.end || -1
        last += length if last < 0
        last -= 1 if which.exclude_end? && which.end
        __splice(start, [last - start + 1, 0].max, value)
      when Regexp
        found = __search(which, 0)
        raise IndexError, "regexp not matched" unless found
        __splice(found[0], found[1] - found[0], value)
      else
        start = __index(which, 0)
        raise IndexError, "string not matched" unless start
        __splice(start, which.length, value)
      end
    else
      __splice(which, count, value)
    end
    value
  end

  def slice!(which, count = nil)
    found = count ? self[which, count] : self[which]
    return nil if found.nil?
    if count || which.is_a?(Integer)
      __splice(which, count ? found.length : 1, "")
    else
      self[which] = ""
    end
    found
  end

  def insert(at, text)
    at += length + 1 if at < 0
    __splice(at, 0, text)
    self
  end

  def lines(separator = "\n", chomp: false, &block)
    found = __pieces(separator)
    found = found.map { |line| line.delete_suffix("\r\n").delete_suffix(separator) } if chomp
    block ? found.each(&block) && self : found
  end

  def each_line(separator = "\n", chomp: false, &block)
    found = lines(separator, chomp: chomp)
    block ? found.each(&block) && self : found.each
  end

  # Lines that end with separator.
  def __pieces(separator)
    return [dup] if separator.nil?
    parts = __bytes_split(separator, -1)
    last = parts.pop
    parts = parts.map { |part| part + separator }
    last.nil? || last.empty? ? parts : parts << last
  end

  def index(what, start = 0)
    return __index(what, start) unless what.is_a?(Regexp)
    start += length if start < 0
    found = __search(what, start)
    found && found[0]
  end

  def rindex(what, start = length)
    return __rindex(what, start) unless what.is_a?(Regexp)
    start += length if start < 0
    start = length if start > length
    while start >= 0
      found = __search(what, start)
      return start if found && found[0] == start
      start -= 1
    end
    nil
  end


  def each_char(&block)
    return chars.each unless block
    chars.each(&block)
    self
  end

  def each_grapheme_cluster(&block)
    scan(/\X/, &block)
  end

  def grapheme_clusters
    scan(/\X/)
  end

  def each_codepoint(&block)
    codepoints.each(&block)
    self
  end

  def chr
    self[0] || ""
  end

  def chop
    length < 2 ? "" : end_with?("\r\n") ? self[0...-2] : self[0...-1]
  end

  def chop!
    return nil if empty?
    replace(chop)
  end

  def reverse!
    replace(reverse)
  end

  def upcase!(*)
    changed = upcase
    changed == self ? nil : replace(changed)
  end

  def downcase!(*)
    changed = downcase
    changed == self ? nil : replace(changed)
  end

  def capitalize!(*)
    changed = capitalize
    changed == self ? nil : replace(changed)
  end

  def swapcase(*)
    return __bytes_swapcase if ascii_only?
    chars.map { |c| c == c.upcase ? c.downcase : c.upcase }.join
  end

  def swapcase!(*)
    changed = swapcase
    changed == self ? nil : replace(changed)
  end

  def casecmp?(other)
    other.is_a?(String) ? downcase == other.downcase : nil
  end

  def start_with?(*prefixes)
    prefixes.any? do |prefix|
      prefix.is_a?(Regexp) ? (found = __search(prefix, 0)) && found[0] == 0 : __bytes_start_with?(prefix)
    end
  end

  def __pad(width, with)
    missing = width - length
    return "" if missing <= 0
    raise ArgumentError, "zero width padding" if with.empty?
    (with * (missing / with.length + 1))[0, missing]
  end

  def ljust(width, with = " ")
    self + __pad(width, with)
  end

  def rjust(width, with = " ")
    __pad(width, with) + self
  end

  def center(width, with = " ")
    missing = width - length
    return dup if missing <= 0
    left = missing / 2
    "".ljust(left, with) + self + "".ljust(missing - left, with)
  end

  def partition(pattern)
    return __bytes_partition(pattern) unless pattern.is_a?(Regexp)
    found = __search(pattern, 0)
    found ? [self[0, found[0]], self[found[0]...found[1]], self[found[1]..-1]] : [dup, "", ""]
  end

  def rpartition(pattern)
    return __bytes_rpartition(pattern) unless pattern.is_a?(Regexp)
    start = rindex(pattern)
    return ["", "", dup] unless start
    stop = __search(pattern, start)[1]
    [self[0, start], self[start...stop], self[stop..-1]]
  end

  # The characters that a set such as "a-z^" names, and whether it is negated.
  def self.__character_set(set)
    chars = set.chars
    negated = chars.length > 1 && chars[0] == "^"
    chars.shift if negated
    result = []
    i = 0
    while i < chars.length
      if chars[i] == "\\" && i + 1 < chars.length
        result << chars[i + 1]
        i += 2
      elsif i + 2 < chars.length && chars[i + 1] == "-"
        first = chars[i].ord
        last = chars[i + 2].ord
        raise ArgumentError, "invalid range in string transliteration" if last < first
        raise ArgumentError, "range too large" if last - first > 65536
        first.upto(last) { |code| result << code.__utf8 }
        i += 3
      else
        result << chars[i]
        i += 1
      end
    end
    [result, negated]
  end

  def __in_sets?(sets, char)
    sets.all? { |set, negated| set.include?(char) != negated }
  end

  def tr(from, to)
    return __bytes_tr(from, to) if ascii_only? && from.ascii_only? && to.ascii_only?
    __translate(from, to, false)
  end

  def tr_s(from, to)
    __translate(from, to, true)
  end

  def __translate(from, to, squeezed)
    set, negated = String.__character_set(from)
    into = to.empty? ? [] : String.__character_set(to)[0]
    table = {}
    set.each_with_index { |char, i| table[char] = into[i] || into[-1] || "" unless table.key?(char) }
    last = nil
    out = ""
    chars.each do |char|
      found = table.key?(char)
      if found == negated
        out << char
        last = nil
      else
        new = negated ? (into[-1] || "") : table[char]
        out << new unless squeezed && last == new
        last = new
      end
    end
    out
  end

  def tr!(from, to)
    changed = tr(from, to)
    changed == self ? nil : replace(changed)
  end

  def tr_s!(from, to)
    changed = tr_s(from, to)
    changed == self ? nil : replace(changed)
  end

  def delete(*sets)
    sets = sets.map { |set| String.__character_set(set) }
    chars.reject { |char| __in_sets?(sets, char) }.join
  end

  def delete!(*sets)
    changed = delete(*sets)
    changed == self ? nil : replace(changed)
  end

  def squeeze(*sets)
    sets = sets.map { |set| String.__character_set(set) }
    last = nil
    chars.reject do |char|
      repeated = char == last && __in_sets?(sets, char)
      last = char
      repeated
    end.join
  end

  def squeeze!(*sets)
    changed = squeeze(*sets)
    changed == self ? nil : replace(changed)
  end

  def count(*sets)
    sets = sets.map { |set| String.__character_set(set) }
    chars.count { |char| __in_sets?(sets, char) }
  end

  def inspect
    return __bytes_inspect if !valid_encoding?
    text = ascii_only? ? __bytes_inspect : chars.map { |char| char.ascii_only? ? char.__bytes_inspect[1...-1] : char }.join.__quoted
    text.include?("\\x") ? text.__control_characters : text
  end

  # \x1f as \u001F; the backslash of the text itself stands doubled.
  def __control_characters
    gsub(/\\(?:x(..)|.)/) { |part| part.start_with?("\\x") ? "\\u00" + part[2, 2].upcase : part }
  end

  def __quoted
    "\"" + self + "\""
  end

  def encoding
    Encoding::UTF_8
  end

  # Text is always UTF-8. Bytes that are none and are said to be Latin-1 become it here, so that what follows sees characters.
  def force_encoding(name)
    replace(__latin1) if ["ISO-8859-1", "LATIN1"].include?(name.to_s.upcase) && !valid_encoding?
    self
  end

  def __latin1
    bytes.map { |byte| byte.__utf8 }.join
  end

  def b
    dup
  end

  def unicode_normalize(form = :nfc)
    return dup if ascii_only?
    raise NotImplementedError, "unicode_normalize is not built in"
  end

  def scrub(with = "\u{fffd}")
    __scrub(with)
  end

  def scrub!(with = "\u{fffd}")
    replace(__scrub(with))
  end

  # Encoding to UTF-8 mends what is not, encoding to less replaces what does not fit.
  def encode(to = "UTF-8", from = nil, **options)
    with = options[:replace] || "?"
    name = to.to_s.upcase
    if from && ["ISO-8859-1", "LATIN1", "BINARY", "ASCII-8BIT"].include?(from.to_s.upcase) && !valid_encoding?
      return __latin1
    end
    unless valid_encoding?
      raise Encoding::InvalidByteSequenceError, "invalid byte sequence in UTF-8" unless options[:invalid] == :replace || options[:undef] == :replace
      return __scrub(options[:replace] || "\u{fffd}")
    end
    return dup if name == "UTF-8" || ascii_only?
    raise Encoding::ConverterNotFoundError, "text is always UTF-8 here, it cannot become #{to}" unless ["US-ASCII", "ASCII"].include?(name)
    raise Encoding::UndefinedConversionError, "not in US-ASCII" unless options[:undef] == :replace
    chars.map { |char| char.ascii_only? ? char : with }.join
  end

  def encode!(*arguments, **options)
    replace(encode(*arguments, **options))
  end

  def hex
    text = delete("_").strip
    negative = text.__bytes_start_with?("-")
    found = text.downcase[/\A[-+]?(?:0x)?([0-9a-f]+)/, 1]
    value = found ? found.to_i(16) : 0
    negative ? -value : value
  end

  def oct
    text = strip.downcase
    case text
    when /\A[-+]?0x/ then text.hex
    when /\A([-+]?)0b([01]+)/ then ($1 + $2).to_i(2)
    when /\A([-+]?)(?:0o)?([0-7]+)/ then ($1 + $2).to_i(8)
    else 0
    end
  end


  def unpack1(format)
    unpack(format)[0]
  end

  def crypt(*)
    raise NotImplementedError, "String#crypt is not built in"
  end

  def sum(bits = 16)
    bytes.sum & ((1 << bits) - 1)
  end


  def delete_prefix!(prefix)
    __bytes_start_with?(prefix) ? replace(self[prefix.length..-1]) : nil
  end

  def ===(other)
    self == other
  end

  def +@
    frozen? ? dup : self
  end

  def -@
    frozen? ? self : dup.freeze
  end

  def between?(low, high)
    self >= low && self <= high
  end


  def to_str
    self
  end
end

class Integer
  def chr(encoding = nil)
    return __utf8 if encoding || self < 128
    [self].pack("C")
  end
end

class String
  def concat(*others)
    others.each { |other| self << other }
    self
  end
end

class String
  def to_r
    found = /\A\s*([-+]?)(\d+(?:_\d+)*)(?:\.(\d+(?:_\d+)*))?(?:e([-+]?\d+))?(?:\/(\d+(?:_\d+)*))?/i.match(self)
    return Rational(0, 1) unless found
    fraction = (found[3] || "").delete("_")
    numerator = (found[2].delete("_") + fraction).to_i
    numerator = -numerator if found[1] == "-"
    power = found[4].to_i - fraction.length
    denominator = (found[5] || "1").delete("_").to_i
    raise ZeroDivisionError, "divided by 0" if denominator == 0
    power < 0 ? Rational(numerator, denominator * 10 ** -power) : Rational(numerator * 10 ** power, denominator)
  end

  def to_c
    number = "\\d+(?:\\.\\d+)?(?:e[-+]?\\d+)?"
    found = /\A\s*(?:([-+]?#{number})(?![\d.]*[ij]))?(?:([-+]?(?:#{number})?)[ij])?/i.match(self)
    real = found[1] ? found[1].__number : 0
    imaginary = found[2] ? (/\d/.match?(found[2]) ? found[2].__number : (found[2] == "-" ? -1 : 1)) : 0
    Complex(real, imaginary)
  end

  def __number
    /[.e]/i.match?(self) ? to_f : to_i
  end
end
