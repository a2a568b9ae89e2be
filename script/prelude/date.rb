# SPDX-License-Identifier: Apache-2.0
#
# Date and DateTime: the proleptic Gregorian calendar by way of Time in UTC, with an offset for DateTime.

class Date
  include Comparable

  class Error < ArgumentError; end

  MONTHNAMES = [nil, "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                "November", "December"]
  ABBR_MONTHNAMES = MONTHNAMES.map { |name| name && name[0, 3] }
  DAYNAMES = %w[Sunday Monday Tuesday Wednesday Thursday Friday Saturday]
  ABBR_DAYNAMES = DAYNAMES.map { |name| name[0, 3] }
  DAY_SECONDS = 86400
  UNIX_JULIAN_DAY = 2440588

  class << self
    def new(year = -4712, month = 1, day = 1, *)
      raise Date::Error, "invalid date" unless valid_date?(year, month, day)
      month += 13 if month < 0
      day = __days_in(year, month) + day + 1 if day < 0
      __at(Time.utc(year, month, day))
    end
    alias civil new

    def __at(time)
      date = allocate
      date.__set(time)
      date
    end

    def __days_in(year, month)
      return 31 if [1, 3, 5, 7, 8, 10, 12].include?(month)
      month == 2 ? (leap?(year) ? 29 : 28) : 30
    end

    def leap?(year)
      year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    end
    alias gregorian_leap? leap?

    def valid_date?(year, month, day)
      return false unless year.is_a?(Integer) && month.is_a?(Integer) && day.is_a?(Integer)
      month += 13 if month < 0
      return false unless month.between?(1, 12)
      last = __days_in(year, month)
      day += last + 1 if day < 0
      day.between?(1, last)
    end
    alias valid_civil? valid_date?

    def today
      now = Time.now
      new(now.year, now.month, now.day)
    end

    def __date_from(parts, text)
      raise Date::Error, "invalid date" unless parts
      return Time.at(parts[:seconds]).utc.to_date if parts[:seconds]
      today = Time.now
      year = parts[:year] || today.year
      day = parts[:mon] ? nil : DateTime.__day_of(parts, today)
      return new(day.year, day.month, day.day) if day
      if parts[:wday] && !parts[:mday] && !parts[:mon]
        date = today.to_date
        return date + (parts[:wday] - date.wday)
      end
      new(year, parts[:mon] || (parts[:year] ? 1 : today.month), parts[:mday] || 1)
    end

    def parse(text = "-4712-01-01", *)
      __date_from(DateTime.__parse(text.to_s), text)
    end

    def iso8601(text, *)
      parse(text)
    end

    def strptime(text = "-4712-01-01", format = "%F", *)
      __date_from(DateTime.__strptime(text.to_s, format.to_s), text)
    end

    def valid_iso8601?(text)
      parse(text)
      true
    rescue ArgumentError
      false
    end
  end

  def __set(time)
    @time = time
  end

  def __time
    @time
  end

  %w[year month day wday yday].each do |part|
    define_method(part.to_sym) { @time.__send__(part.to_sym) }
  end
  alias mon month
  alias mday day

  def __days
    (@time.to_i + @time.utc_offset).div(DAY_SECONDS)
  end

  def jd
    __days + UNIX_JULIAN_DAY
  end

  def cwday
    wday == 0 ? 7 : wday
  end

  def cweek
    strftime("%V").to_i
  end

  def cwyear
    strftime("%G").to_i
  end

  def +(days)
    self.class.__at(@time + (days.is_a?(Integer) ? days * DAY_SECONDS : (days.to_f * DAY_SECONDS)))
  end

  def -(other)
    return self + -other if other.is_a?(Numeric)
    raise TypeError, "expected numeric or date" unless other.is_a?(Date)
    seconds = @time - other.__time
    seconds == seconds.to_i ? Rational(seconds.to_i, DAY_SECONDS) : Rational((seconds * 1000).round, DAY_SECONDS * 1000)
  end

  def >>(months)
    total = year * 12 + month - 1 + months
    y = total.div(12)
    m = total % 12 + 1
    d = [day, Date.__days_in(y, m)].min
    self.class.__at(@time + (Time.utc(y, m, d) - Time.utc(year, month, day)).to_i)
  end

  def <<(months)
    self >> -months
  end

  def next_day(count = 1)
    self + count
  end

  def prev_day(count = 1)
    self - count
  end

  def next_month(count = 1)
    self >> count
  end

  def prev_month(count = 1)
    self >> -count
  end

  def next_year(count = 1)
    self >> 12 * count
  end

  def prev_year(count = 1)
    self >> -12 * count
  end

  def next
    next_day
  end
  alias succ next

  def step(limit, by = 1)
    return to_enum(:step, limit, by) unless block_given?
    date = self
    while by > 0 ? date <= limit : date >= limit
      yield date
      date += by
    end
    self
  end

  def upto(limit, &block)
    return to_enum(:upto, limit) unless block
    step(limit, 1, &block)
  end

  def downto(limit, &block)
    return to_enum(:downto, limit) unless block
    step(limit, -1, &block)
  end

  def <=>(other)
    return @time <=> other.__time if other.is_a?(Date)
    other.is_a?(Time) ? @time <=> other : nil
  end

  def ===(other)
    other.is_a?(Date) && __days == other.__days
  end

  def eql?(other)
    other.is_a?(Date) && (self <=> other) == 0
  end

  def hash
    @time.hash
  end

  def leap?
    Date.leap?(year)
  end

  DAYNAMES.each_with_index { |name, number| define_method((name.downcase + "?").to_sym) { wday == number } }

  def strftime(format = "%F")
    @time.strftime(format)
  end

  def to_s
    strftime("%Y-%m-%d")
  end
  alias iso8601 to_s
  alias xmlschema to_s

  def inspect
    "#<#{self.class}: #{to_s}>"
  end

  def to_json(*)
    to_s.to_json
  end

  def to_date
    Date.new(year, month, day)
  end

  def to_time
    Time.local(year, month, day)
  end

  def to_datetime
    DateTime.new(year, month, day)
  end

  def ajd
    jd
  end

end

class DateTime < Date
  class << self
    def new(year = -4712, month = 1, day = 1, hour = 0, minute = 0, second = 0, zone = 0)
      raise Date::Error, "invalid date" unless valid_date?(year, month, day)
      offset = zone.is_a?(Numeric) ? (zone * 86400).to_i : Time.__offset(zone) || 0
      __at(Time.__make(offset == 0 ? 0 : 2, offset, year, month, day, hour, minute, second))
    end
    alias civil new

    def now
      __at(Time.now)
    end

    def __moment(parts)
      raise Date::Error, "invalid date" unless parts
      parts[:offset] ||= 0 unless parts[:seconds]
      parts[:zone] ||= "+00:00"
      __at(Time.__from(parts, Time.now))
    end

    def parse(text = "-4712-01-01T00:00:00+00:00", *)
      __moment(__parse(text.to_s))
    end

    def strptime(text = "-4712-01-01T00:00:00+00:00", format = "%FT%T%z", *)
      __moment(__strptime(text.to_s, format.to_s))
    end

    # What a text says about a time, in the forms that logs have, or nil: {year:, mon:, mday:, hour:, …}.
    def __parse(text)
      parts = {}
      rest = text
      if rest =~ /(\d+):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([ap]\.?m\.?\b)?\s*(z\b|[-+]\d{1,2}:?\d{2}(?::?\d{2})?\b|[-+]\d{1,2}\b|\b(?:utc|gmt)[-+]\d+|\b[a-z]{3,4}\b)?/i
        parts[:hour] = $1.to_i
        parts[:min] = $2.to_i
        parts[:sec] = $3.to_i
        parts[:fraction] = ("0." + $4).to_f if $4
        half = $5
        zone = $6
        before = $~.pre_match
        after = $~.post_match
        parts[:hour] = parts[:hour] % 12 + (half.downcase[0] == "p" ? 12 : 0) if half
        if zone && Time.__offset(zone)
          parts[:zone] = zone
          parts[:offset] = Time.__offset(zone)
        elsif zone
          after = zone + after
        end
        rest = before.sub(/t\s*\z/i, " ") + " " + after
      elsif rest =~ /\b(\d{1,2})\s*([ap])\.?m\.?(?!\w)/i
        parts.update(hour: $1.to_i % 12 + ($2.downcase == "p" ? 12 : 0), min: 0, sec: 0)
        rest = $~.pre_match + " " + $~.post_match
      elsif rest =~ /\b(\d{4})(\d{2})(\d{2})t?(\d{2})(\d{2})(\d{2})?(z|[-+]\d{2}:?\d{2})?\b/i
        parts.update(year: $1.to_i, mon: $2.to_i, mday: $3.to_i, hour: $4.to_i, min: $5.to_i, sec: $6.to_i)
        parts.update(zone: $7, offset: Time.__offset($7)) if $7
        return parts
      end
      __parse_date(rest, parts)
      parts.empty? ? nil : parts
    end

    def __parse_date(text, parts)
      month = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?"
      case text
      when /([-+]?\d{4,})-(\d{1,2})-(\d{1,2})/, %r{(\d{4})/(\d{1,2})/(\d{1,2})}, /\b(\d{4})\.(\d{1,2})\.(\d{1,2})\b/
        parts.update(year: $1.to_i, mon: $2.to_i, mday: $3.to_i)
      when /(\d{1,2})(?:st|nd|rd|th)?[-\s\/]+#{month}(?:[-\s\/,:]+([-+]?\d+))?/i
        parts.update(mday: $1.to_i, mon: Time::MONTHS.index($2.downcase[0, 3]) + 1)
        parts[:year] = __year($3) if $3
      when /#{month}[-\s]+(\d{1,2})(?:st|nd|rd|th)?\b(?:[\s,]+([-+]?\d{2,}))?/i
        parts.update(mon: Time::MONTHS.index($1.downcase[0, 3]) + 1, mday: $2.to_i)
        parts[:year] = __year($3) if $3
      when /\b(\d{4})-(\d{3})\b/
        parts.update(year: $1.to_i, yday: $2.to_i)
      when /\b(\d{4})-(\d{2})\b/
        parts.update(year: $1.to_i, mon: $2.to_i)
      when /\b(\d{4})(\d{2})(\d{2})\b/
        parts.update(year: $1.to_i, mon: $2.to_i, mday: $3.to_i)
      when %r{\b(\d{1,2})/(\d{1,2})/(\d{4})\b}
        parts.update(year: $3.to_i, mon: $2.to_i, mday: $1.to_i)
      when /\b(\d{1,2})-(\d{1,2})-(\d{4})\b/, /\b(\d{1,2})\.(\d{1,2})\.(\d{4})\b/
        parts.update(year: $3.to_i, mon: $2.to_i, mday: $1.to_i)
      when /\b(sun|mon|tue|wed|thu|fri|sat)[a-z]*\b/i
        parts[:wday] = ABBR_DAYNAMES.index { |name| name.downcase == $1.downcase } unless parts[:hour]
      end
    end

    def __year(text)
      year = text.to_i
      text.length > 2 ? year : year < 69 ? year + 2000 : year + 1900
    end

    # Reads text by a strptime format; the parts, or nil when it does not fit.
    def __strptime(text, format, rest = false)
      reader = StrptimeReader.new(text)
      return nil unless reader.read(format)
      reader.rest.empty? || rest ? reader.parts : nil
    end

    # Of parts that name no month: by the day of the year or the week, of this year when they say none.
    def __day_of(parts, now)
      if parts[:yday]
        first = Time.utc(parts[:year] || now.year, 1, 1).to_date
        return first + (parts[:yday] - 1) if Date.leap?(first.year) || parts[:yday] <= 365
        raise Date::Error, "invalid date"
      end
      return nil unless parts[:cwyear] || parts[:cweek]
      fourth = Time.utc(parts[:cwyear] || now.year, 1, 4).to_date
      wday = parts[:wday] ? (parts[:wday] - 1) % 7 : 0
      fourth - (fourth.cwday - 1) + ((parts[:cweek] || 1) - 1) * 7 + wday
    end
  end

  %w[hour min sec zone].each do |part|
    define_method(part.to_sym) { @time.__send__(part.to_sym) }
  end
  alias minute min
  alias second sec

  def sec_fraction
    @time.nsec / 1e9
  end
  alias second_fraction sec_fraction

  def offset
    @time.utc_offset / 86400.0
  end

  def zone
    @time.strftime("%:z")
  end

  def new_offset(zone = 0)
    offset = zone.is_a?(Numeric) ? (zone * 86400).to_i : Time.__offset(zone) || 0
    DateTime.__at(@time.__in(2, offset))
  end

  def to_s
    strftime("%Y-%m-%dT%H:%M:%S%:z")
  end

  # %Q is milliseconds since 1970; a Time does not know it.
  def strftime(format = "%FT%T%:z")
    format = format.gsub(/%(.)/) { |part| part == "%Q" ? (to_time.to_i * 1000 + to_time.nsec / 1000000).to_s : part }
    @time.strftime(format)
  end

  def iso8601(digits = 0)
    digits > 0 ? strftime("%Y-%m-%dT%H:%M:%S.%#{digits}N%:z") : to_s
  end
  alias xmlschema iso8601

  def to_time
    @time.dup
  end

  def to_datetime
    self
  end

  def to_event_value
    @time
  end
end

class Date
  def to_event_value
    to_s
  end
end
