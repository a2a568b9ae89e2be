# SPDX-License-Identifier: Apache-2.0
#
# The rest of Time: what it is made from and what it is written as. Instants and calendar are in time_class.c, strftime in
# strftime.c, strptime in strptime.rb.

class Time
  MONTHS = %w[jan feb mar apr may jun jul aug sep oct nov dec]
  ZONES = {
    "UTC" => 0, "GMT" => 0, "Z" => 0, "EST" => -18000, "EDT" => -14400, "CST" => -21600, "CDT" => -18000,
    "MST" => -25200, "MDT" => -21600, "PST" => -28800, "PDT" => -25200, "CET" => 3600, "CEST" => 7200,
    "BST" => 3600, "IST" => 19800, "JST" => 32400, "KST" => 32400, "WET" => 0, "WEST" => 3600, "EET" => 7200,
    "EEST" => 10800, "MSK" => 10800
  }

  # Seconds east of UTC that a zone's text stands for, or nil.
  def self.__offset(zone)
    return zone if zone.is_a?(Integer)
    text = zone.to_s
    return ZONES[text.upcase] if ZONES.key?(text.upcase)
    found = /\A(?:UTC|GMT)?([-+])(\d\d?):?(\d\d)?(?::?(\d\d))?\z/i.match(text)
    return nil unless found
    seconds = found[2].to_i * 3600 + found[3].to_i * 60 + found[4].to_i
    found[1] == "-" ? -seconds : seconds
  end

  def self.__make(zone, offset, year, month, day, hour, minute, second)
    month = month.nil? ? 1 : month.is_a?(String) && MONTHS.include?(month.downcase[0, 3]) ? MONTHS.index(month.downcase[0, 3]) + 1 : month.to_i
    second = second.nil? ? 0 : second.is_a?(String) ? second.to_f : second
    whole = second.floor
    __civil(zone, offset, year.to_i, month, (day || 1).to_i, (hour || 0).to_i, (minute || 0).to_i, whole,
            ((second - whole) * 1_000_000_000).round)
  end

  def self.utc(year, month = nil, day = nil, hour = nil, minute = nil, second = nil, micro = 0)
    time = __make(0, 0, year, month, day, hour, minute, second)
    micro == 0 ? time : time + micro / 1e6
  end

  def self.local(year, month = nil, day = nil, hour = nil, minute = nil, second = nil, micro = 0)
    time = __make(1, 0, year, month, day, hour, minute, second)
    micro == 0 ? time : time + micro / 1e6
  end

  class << self
    alias gm utc
    alias mktime local
    alias __now now
    alias __at at

    def now(**options)
      options[:in] ? __now.getlocal(options[:in]) : __now
    end

    def new(year = nil, month = nil, day = nil, hour = nil, minute = nil, second = nil, zone = nil)
      return __now if year.nil?
      return parse(year) if year.is_a?(String) && month.nil? && year.length > 4
      return local(year, month, day, hour, minute, second) if zone.nil?
      offset = __offset(zone)
      raise ArgumentError, "\"+HH:MM\", \"-HH:MM\", \"UTC\" expected for utc_offset: #{zone}" if offset.nil?
      __make(zone == "UTC" || zone == "Z" ? 0 : 2, offset, year, month, day, hour, minute, second)
    end

    # at(seconds), at(seconds, part, unit), with in: a zone
    def at(seconds, part = 0, unit = :microsecond, **options)
      scale = { millisecond: 1e3, microsecond: 1e6, usec: 1e6, nanosecond: 1e9, nsec: 1e9 }[unit] || 1e6
      time = part == 0 ? __at(seconds) : __at(seconds) + part / scale
      zone = options[:in]
      zone ? time.getlocal(zone) : time
    end

    def __from(parts, now)
      return at(parts[:seconds]) if parts[:seconds] && parts[:zone].nil?
      return at(parts[:seconds]).utc if parts[:seconds]
      named = parts[:mon] || parts[:mday] ? nil : DateTime.__day_of(parts, now)
      parts = parts.merge(year: named.year, mon: named.month, mday: named.day) if named
      year = parts[:year] || now.year
      month = parts[:mon] || (parts[:year] ? 1 : now.month)
      day = parts[:mday] || (parts[:year] || parts[:mon] ? 1 : now.day)
      second = parts[:sec] || 0
      offset = parts[:offset]
      kind = offset.nil? ? 1 : /\A(?:utc|z|-00:?00)\z/i.match?(parts[:zone].to_s) ? 0 : 2
      time = __make(kind, offset || 0, year, month, day, parts[:hour], parts[:min], [second, 59].min)
      time += 1 if second == 60
      parts[:fraction] ? time + parts[:fraction] : time
    end

    def strptime(text, format)
      parts = DateTime.__strptime(text.to_s, format.to_s, true)
      raise ArgumentError, "invalid date or strptime format - '#{text}' '#{format}'" unless parts
      __from(parts, __now)
    end

    def parse(text, now = nil)
      parts = DateTime.__parse(text.to_s)
      raise ArgumentError, "no time information in #{text.inspect}" unless parts
      __from(parts, now || __now)
    end

    def iso8601(text)
      raise ArgumentError, "invalid xmlschema date: #{text.inspect}" unless text =~ /\A\s*[-+]?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:?\d\d)?\s*\z/i
      parse(text)
    end
    alias xmlschema iso8601

    def httpdate(text)
      parse(text)
    end
    alias rfc2822 httpdate
  end

  alias mday day
  alias mon month
  alias gmt_offset utc_offset
  alias gmtoff utc_offset
  alias gmt? utc?
  alias tv_sec to_i
  alias tv_nsec nsec

  def usec
    nsec / 1000
  end
  alias tv_usec usec

  def subsec
    nsec == 0 ? 0 : Rational(nsec, 1_000_000_000)
  end

  def to_r
    Rational(to_i * 1_000_000_000 + nsec, 1_000_000_000)
  end

  def utc
    __become(__in(0, 0))
  end
  alias gmtime utc

  def getutc
    __in(0, 0)
  end
  alias getgm getutc

  def getlocal(zone = nil)
    return __in(1, 0) if zone.nil?
    offset = Time.__offset(zone)
    raise ArgumentError, "\"+HH:MM\", \"-HH:MM\", \"UTC\" expected for utc_offset: #{zone}" if offset.nil?
    __in(zone == "UTC" || zone == "Z" ? 0 : 2, offset)
  end

  def localtime(zone = nil)
    __become(getlocal(zone))
  end

  def __rounded(digits, up)
    unit = 10 ** (9 - digits)
    rest = nsec % unit
    up ? self + (unit - rest) / 1e9 : self - rest / 1e9
  end

  def round(digits = 0)
    unit = 10 ** (9 - digits)
    __rounded(digits, nsec % unit * 2 >= unit)
  end

  def floor(digits = 0)
    __rounded(digits, false)
  end

  def ceil(digits = 0)
    nsec % (10 ** (9 - digits)) == 0 ? self : __rounded(digits, true)
  end

  def dup
    __in(utc? ? 0 : 2, utc_offset)
  end
  alias clone dup

  def iso8601(digits = 0)
    text = strftime("%Y-%m-%dT%H:%M:%S")
    text += "." + strftime("%#{digits}N") if digits > 0
    text + (utc? ? "Z" : strftime("%:z"))
  end
  alias xmlschema iso8601

  def to_s
    strftime(utc? ? "%Y-%m-%d %H:%M:%S UTC" : "%Y-%m-%d %H:%M:%S %z")
  end

  def inspect
    fraction = nsec == 0 ? "" : "." + strftime("%9N").sub(/0+\z/, "")
    strftime("%Y-%m-%d %H:%M:%S") + fraction + (utc? ? " UTC" : strftime(" %z"))
  end

  def ctime
    strftime("%a %b %e %H:%M:%S %Y")
  end
  alias asctime ctime

  def httpdate
    getutc.strftime("%a, %d %b %Y %H:%M:%S GMT")
  end

  def rfc2822
    strftime("%a, %d %b %Y %T ") + (utc? ? "-0000" : strftime("%z"))
  end
  alias rfc822 rfc2822

  def to_a
    [sec, min, hour, day, month, year, wday, yday, false, zone]
  end

  def to_json(*)
    to_s.to_json
  end

  def to_time
    self
  end

  def to_date
    Date.new(year, month, day)
  end

  def to_datetime
    DateTime.__at(self)
  end

  def hash
    to_f.hash
  end

  def eql?(other)
    other.is_a?(Time) && (self <=> other) == 0
  end

  def dst?
    false
  end
  alias isdst dst?

  %w[sunday monday tuesday wednesday thursday friday saturday].each_with_index do |name, number|
    define_method((name + "?").to_sym) { wday == number }
  end
end

module LogStash
  class Timestamp
    %w[month day hour min sec wday yday].each do |part|
      define_method(part.to_sym) { time.__send__(part.to_sym) }
    end

    def utc
      self
    end
    alias gmtime utc

    alias __plus +
    alias __minus -

    # With seconds it becomes a Time, as in Logstash.
    def +(seconds)
      time + seconds
    end

    def -(other)
      other.is_a?(Numeric) ? time - other : __minus(other)
    end

    def self.parse_iso8601(text)
      new(text)
    end

    def to_date
      time.to_date
    end

    def iso8601(*)
      to_iso8601
    end
  end
end
