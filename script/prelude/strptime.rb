# SPDX-License-Identifier: Apache-2.0
#
# Reads one text by a strptime format.
class StrptimeReader
  attr_reader :parts, :rest

  NUMBERS = {
    "Y" => [/\A[-+]?\d{1,}/, :year], "m" => [/\A\d{1,2}/, :mon], "d" => [/\A ?\d{1,2}/, :mday],
    "e" => [/\A ?\d{1,2}/, :mday], "H" => [/\A ?\d{1,2}/, :hour], "k" => [/\A ?\d{1,2}/, :hour],
    "I" => [/\A ?\d{1,2}/, :hour], "l" => [/\A ?\d{1,2}/, :hour], "M" => [/\A\d{1,2}/, :min],
    "S" => [/\A\d{1,2}/, :sec], "j" => [/\A\d{1,3}/, :yday], "s" => [/\A-?\d+/, :seconds],
    "u" => [/\A\d/, :wday], "w" => [/\A\d/, :wday], "G" => [/\A\d{4}/, :cwyear], "V" => [/\A\d{1,2}/, :cweek],
    "C" => [/\A\d{1,2}/, :century]
  }
  LIMITS = { mon: 1..12, mday: 1..31, hour: 0..24, min: 0..59, sec: 0..60, yday: 1..366 }
  LONGER = {
    "F" => "%Y-%m-%d", "T" => "%H:%M:%S", "X" => "%H:%M:%S", "R" => "%H:%M", "D" => "%m/%d/%y", "x" => "%m/%d/%y",
    "c" => "%a %b %e %H:%M:%S %Y", "r" => "%I:%M:%S %p", "v" => "%e-%b-%Y", "+" => "%a %b %e %H:%M:%S %Z %Y"
  }

  def initialize(text)
    @rest = text
    @parts = {}
  end

  def read(format)
    i = 0
    while i < format.length
      c = format[i]
      if c == "%" && i + 1 < format.length
        i += 1
        i += 1 while "-0^#_:EO".include?(format[i].to_s) && i + 1 < format.length
        digits = format[i..-1][/\A\d+/]
        i += digits.length if digits
        return false unless directive(format[i], format[i + 1])
      elsif " \t\n".include?(c)
        @rest = @rest.lstrip
      else
        return false unless @rest.start_with?(c)
        @rest = @rest[1..-1]
      end
      i += 1
    end
    finish
    true
  end

  def take(pattern)
    found = @rest[pattern]
    @rest = @rest[found.length..-1] if found
    found
  end

  def directive(letter, following)
    return read_longer(LONGER[letter]) if LONGER.key?(letter)
    return number(letter, following) if NUMBERS.key?(letter)
    case letter
    when "y"
      found = take(/\A\d{1,2}/)
      found && @parts[:year] = DateTime.__year(found)
    when "b", "B", "h" then month
    when "a", "A" then weekday
    when "p", "P"
      found = take(/\A[ap]\.?m\.?/i)
      found && @parts[:half] = found.downcase[0]
    when "L", "N"
      found = take(/\A\d+/)
      found && @parts[:fraction] = ("0." + found).to_f
    when "z", "Z" then zone
    when "Q"
      found = take(/\A-?\d+/)
      found && @parts[:seconds] = found.to_i / 1000.0
    when "n", "t"
      @rest = @rest.lstrip
      true
    when "%"
      take(/\A%/)
    else
      take(/\A#{Regexp.escape('%' + letter.to_s)}/)
    end
  end

  # Like read, without finishing.
  def read_longer(format)
    format.scan(/%(.)|([^%])/).all? do |letter, other|
      letter ? directive(letter, nil) : other == " " ? (@rest = @rest.lstrip) : take(/\A#{Regexp.escape(other)}/)
    end
  end

  def number(letter, following)
    pattern, part = NUMBERS[letter]
    pattern = /\A[-+]?\d{4}/ if letter == "Y" && following == "%"
    found = take(pattern)
    return false unless found
    value = found.strip.to_i
    return false if LIMITS[part] && !LIMITS[part].include?(value)
    @parts[part] = value
    true
  end

  def month
    found = take(/\A(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)/i)
    found && @parts[:mon] = Time::MONTHS.index(found.downcase[0, 3]) + 1
  end

  def weekday
    found = take(/\A(?:sunday|monday|tuesday|wednesday|thursday|friday|saturday|sun|mon|tue|wed|thu|fri|sat)/i)
    found && @parts[:wday] = Date::ABBR_DAYNAMES.index { |name| name.downcase == found.downcase[0, 3] }
  end

  def zone
    found = take(/\A(?:z\b|(?:utc|gmt)?[-+]\d{1,2}:?\d{2}(?::?\d{2})?|[a-z]{1,5}\b)/i)
    offset = found && Time.__offset(found)
    return false unless offset
    @parts[:zone] = found
    @parts[:offset] = offset
    true
  end

  def finish
    half = @parts.delete(:half)
    @parts[:hour] = @parts[:hour].to_i % 12 + (half == "p" ? 12 : 0) if half
    @parts[:year] ||= @parts.delete(:century) * 100 if @parts[:century]
    @parts[:wday] %= 7 if @parts[:wday]
    @parts[:zone] ||= "UTC" if @parts[:seconds]
  end
end
