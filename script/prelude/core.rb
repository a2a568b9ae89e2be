# SPDX-License-Identifier: Apache-2.0
#
# Methods of Ruby's core classes that mruby as packaged lacks or has differently.

class EncodingError < StandardError; end
class UncaughtThrowError < ArgumentError; end
class SecurityError < Exception; end
class Interrupt < Exception; end
class SystemExit < Exception; end

module Errno
  class ENOENT < StandardError; end
  class EACCES < StandardError; end
  class ECONNREFUSED < StandardError; end
end

class Exception
  def full_message(*)
    "#{(backtrace || [])[0]}: #{message} (#{self.class})"
  end

  def detailed_message(*)
    "#{message} (#{self.class})"
  end

  def cause
    nil
  end

  def backtrace_locations
    nil
  end
end

module Kernel
  alias __Integer Integer
  alias __Float Float

  def Integer(value, base = 0, exception: true)
    text = value.is_a?(String) ? value.strip : value
    base == 0 ? __Integer(text) : __Integer(text, base)
  rescue StandardError
    raise if exception
    nil
  end

  def Float(value, exception: true)
    __Float(value.is_a?(String) ? value.strip : value)
  rescue StandardError
    raise if exception
    nil
  end

  # mruby has no defined?: what can be evaluated and is not nil is taken as defined.
  def defined?(value = nil)
    value.nil? ? nil : "expression"
  end

  def catch(tag = Object.new)
    yield tag
  rescue UncaughtThrowError => thrown
    raise unless thrown.__tag.equal?(tag) || thrown.__tag == tag
    thrown.__value
  end

  def throw(tag, value = nil)
    raise UncaughtThrowError.new("uncaught throw #{tag.inspect}").__carry(tag, value)
  end

  def public_send(name, *arguments, &block)
    __send__(name, *arguments, &block)
  end

  def instance_variable_names
    instance_variables.map { |name| name.to_s }
  end

  def pp(*values)
    p(*values)
  end

  def warn(*messages)
    messages.each { |message| LogStash.__log(3, message.to_s, "") unless message.is_a?(Hash) }
    nil
  end

  def exit(*)
    raise SystemExit, "exit is not possible in a filter; use event.cancel to drop an event"
  end
  alias exit! exit
  alias abort exit

  def __blocking(what, instead)
    raise NotImplementedError, "#{what} would hold up the pipeline; #{instead}"
  end

  def sleep(*)
    __blocking("sleep", "the throttle filter limits rates")
  end

  def system(*)
    __blocking("system", "run programs outside and send their output to an input")
  end
  alias spawn system
  alias exec system
  alias fork system
  alias ` system

  def gets(*)
    __blocking("gets", "read with an input")
  end
  alias readline gets
  alias readlines gets

  def open(*)
    __blocking("open", "read files in init with File.read, look values up with the translate filter")
  end

  def binding
    raise NotImplementedError, "binding is not built in"
  end

  # What is built in needs no loading; for anything else a script hears at start that it is not there.
  BUILT_IN = %w[
    base64 bigdecimal/util cgi cgi/util cgi/escape date digest digest/md5 digest/sha1 digest/sha2 digest/sha256
    English erb forwardable ipaddr json logger logstash/event logstash/timestamp monitor openssl ostruct pp
    securerandom set singleton socket strscan thread time timeout uri zlib
  ]

  def require(name)
    name = name.to_s
    name = name[0...-3] if name.end_with?(".rb")
    return false if BUILT_IN.include?(name) || name.start_with?("logstash/")
    raise LoadError, "cannot load '#{name}': only what is built in can be required (#{BUILT_IN.join(', ')})"
  end

  def require_relative(name)
    raise LoadError, "cannot load '#{name}': put its code into the script, or use path"
  end
  alias load require_relative
end

class LoadError < ScriptError; end unless Object.const_defined?(:LoadError)

class UncaughtThrowError
  attr_reader :__tag, :__value

  def __carry(tag, value)
    @__tag = tag
    @__value = value
    self
  end
end

class Object
  def instance_values
    instance_variables.map { |name| [name.to_s[1..-1], instance_variable_get(name)] }.to_h
  end

  def !~(other)
    !(self =~ other)
  end

  def =~(other)
    nil
  end

  def display
    print self
  end
end

class NilClass
  def to_h
    {}
  end

  def to_f
    0.0
  end
end

class Integer
  def even?
    self & 1 == 0
  end

  def odd?
    self & 1 == 1
  end

  def pred
    self - 1
  end

  def integer?
    true
  end

  def finite?
    true
  end

  def infinite?
    nil
  end

  def nan?
    false
  end

  def digits(base = 10)
    raise Math::DomainError, "out of domain" if self < 0
    return [0] if self == 0
    result = []
    rest = self
    while rest > 0
      result << rest % base
      rest /= base
    end
    result
  end

  def gcd(other)
    a = abs
    b = other.abs
    a, b = b, a % b while b != 0
    a
  end

  def lcm(other)
    self == 0 || other == 0 ? 0 : (self / gcd(other) * other).abs
  end

  def bit_length
    rest = self < 0 ? ~self : self
    count = 0
    while rest > 0
      count += 1
      rest >>= 1
    end
    count
  end

  def [](bit)
    (self >> bit) & 1
  end

  def fdiv(other)
    to_f / other
  end

  def pow(exponent, modulus = nil)
    return self ** exponent unless modulus
    result = 1
    base = self % modulus
    while exponent > 0
      result = result * base % modulus if exponent & 1 == 1
      base = base * base % modulus
      exponent >>= 1
    end
    result
  end

  def numerator
    self
  end

  def denominator
    1
  end

  def self.sqrt(number)
    Math.sqrt(number).to_i
  end

  alias __round round
  alias __floor floor
  alias __ceil ceil

  def round(digits = 0, half: :up)
    return self if digits >= 0
    unit = 10 ** -digits
    rest = abs % unit
    down = abs - rest
    up = rest * 2 > unit || (rest * 2 == unit && (half != :even || (down / unit).odd?) && half != :down)
    value = up ? down + unit : down
    self < 0 ? -value : value
  end

  def floor(digits = 0)
    digits >= 0 ? self : self - self % (10 ** -digits)
  end

  def ceil(digits = 0)
    digits >= 0 ? self : -((-self).floor(digits))
  end

  def truncate(digits = 0)
    self < 0 ? ceil(digits) : floor(digits)
  end
  alias ord to_i
end

class Float
  MIN = 2.2250738585072014e-308 unless const_defined?(:MIN)
  MAX = 1.7976931348623157e+308 unless const_defined?(:MAX)
  DIG = 15 unless const_defined?(:DIG)

  def fdiv(other)
    self / other
  end

  def integer?
    false
  end

  def to_int
    to_i
  end

  alias __round round

  def round(digits = 0, half: :up)
    return digits > 0 ? self : (raise FloatDomainError, to_s) if nan? || infinite?
    digits > 0 ? __round_to(digits, half == :even) : digits == 0 ? __round_half(half) : to_i.round(digits)
  end

  def __round_half(half)
    return __round unless half == :even || half == :down
    rest = (abs % 1 - 0.5)
    return __round unless rest == 0
    low = truncate
    half == :down || low.even? ? low : low + (self < 0 ? -1 : 1)
  end

  def next_float
    self + abs * 2.220446049250313e-16
  end
end

class Numeric
  def nonzero?
    self == 0 ? nil : self
  end

  def real?
    true
  end

  def step(limit = nil, step = 1, by: nil, to: nil, &block)
    limit = to if to
    step = by if by
    raise ArgumentError, "step can't be 0" if step == 0
    return Enumerator.new { |y| self.step(limit, step) { |i| y << i } } unless block
    i = self
    if i.is_a?(Float) || step.is_a?(Float) || limit.is_a?(Float)
      count = ((limit - i) / step.to_f + 1e-9).floor
      (count + 1).times { |k| block.call(i + k * step.to_f) }
    else
      while limit.nil? || (step > 0 ? i <= limit : i >= limit)
        block.call(i)
        i += step
      end
    end
    self
  end

  def coerce(other)
    [other.to_f, to_f]
  end
end

module Comparable
  alias __clamp clamp

  def clamp(low, high = nil)
    if low.is_a?(Range)
      high = low.end
      low = low.begin
    end
    return low if low && (self <=> low) < 0
    high && (self <=> high) > 0 ? high : self
  end
end

module Enumerable
  # Neumaier's sum, as Ruby's: 0.1 added ten times is 1.0.
  def sum(start = 0, &block)
    total = start
    lost = 0.0
    each do |*item|
      item = item.length == 1 ? item[0] : item
      item = block.call(*item) if block
      if total.is_a?(Float) && item.is_a?(Numeric)
        sum = total + item
        lost += total.abs >= item.abs ? (total - sum) + item : (item - sum) + total
        total = sum
      else
        total += item
      end
    end
    total.is_a?(Float) && !lost.nan? ? total + lost : total
  end

  def each_entry(&block)
    to_a.each(&block)
  end

  def to_set
    Set.new(self)
  end

  def chunk_while
    slice_when { |a, b| !yield(a, b) }
  end

  def slice_when
    groups = []
    last = nil
    each_with_index do |item, i|
      i == 0 || yield(last, item) ? groups << [item] : groups[-1] << item
      last = item
    end
    groups
  end

  def chunk
    groups = []
    each do |item|
      key = yield(item)
      groups.empty? || groups[-1][0] != key ? groups << [key, [item]] : groups[-1][1] << item
    end
    groups
  end

  alias __max max
  alias __min min
  alias __max_by max_by
  alias __min_by min_by

  def max(count = nil, &block)
    count ? (block ? sort(&block) : sort).reverse.first(count) : __max(&block)
  end

  def min(count = nil, &block)
    count ? (block ? sort(&block) : sort).first(count) : __min(&block)
  end

  def max_by(count = nil, &block)
    count ? sort_by(&block).reverse.first(count) : __max_by(&block)
  end

  def min_by(count = nil, &block)
    count ? sort_by(&block).first(count) : __min_by(&block)
  end

  def grep_v(pattern, &block)
    found = reject { |item| pattern === item }
    block ? found.map(&block) : found
  end

  def tally_by(&block)
    map(&block).tally
  end

  def zip(*others, &block)
    others = others.map { |other| other.to_a }
    result = []
    each_with_index { |item, i| result << [item] + others.map { |other| other[i] } }
    return result unless block
    result.each(&block)
    nil
  end
end

class Array
  def sort_by!(&block)
    replace(sort_by(&block))
  end

  def sum(start = 0, &block)
    super
  end

  def max(count = nil, &block)
    super
  end

  def min(count = nil, &block)
    super
  end

  def none?(pattern = nil, &block)
    pattern.nil? ? super(&block) : !any? { |item| pattern === item }
  end

  def take(count)
    first(count)
  end

  def drop(count)
    raise ArgumentError, "attempt to drop negative size" if count < 0
    self[count..-1] || []
  end

  def each_entry(&block)
    each(&block)
  end

  def deconstruct
    self
  end

  def to_set
    Set.new(self)
  end

  def flat_map(&block)
    map(&block).flatten(1)
  end

  def find_index(value = nil, &block)
    block ? index(&block) : index(value)
  end

  def slice!(start, count = nil)
    if start.is_a?(Range) || count
      found = count ? self[start, count] : self[start]
      return nil if found.nil?
      if start.is_a?(Range)
        count = found.length
        start = start.begin || 0
      end
      start += length if start < 0
      self[start, count] = []
      found
    else
      delete_at(start)
    end
  end

  alias append push
  alias filter! select!
  alias collect_concat flat_map
end

class Hash
  def each_entry(&block)
    each(&block)
  end

  def sum(start = 0, &block)
    to_a.sum(start, &block)
  end

  def filter_map
    result = []
    each do |key, value|
      found = yield(key, value)
      result << found if found
    end
    result
  end

  def find(&block)
    each { |key, value| return [key, value] if block.call(key, value) }
    nil
  end
  alias detect find

  def partition(&block)
    to_a.partition { |key, value| block.call(key, value) }
  end

  def group_by(&block)
    to_a.group_by { |key, value| block.call(key, value) }
  end

  def flat_map(&block)
    map { |key, value| block.call(key, value) }.flatten(1)
  end

  def any?(&block)
    return !empty? unless block
    each { |key, value| return true if block.call(key, value) }
    false
  end

  def all?(&block)
    each { |key, value| return false unless block.call(key, value) }
    true
  end

  def none?(&block)
    !any?(&block)
  end

  def count(*arguments, &block)
    return length if arguments.empty? && block.nil?
    n = 0
    each { |key, value| n += 1 if block.call(key, value) }
    n
  end

  def to_set
    Set.new(to_a)
  end

  def assoc(key)
    key?(key) ? [key, self[key]] : nil
  end

  def deconstruct_keys(*)
    self
  end

  def sort_by(&block)
    to_a.sort_by { |key, value| block.call(key, value) }
  end

  def min_by(count = nil, &block)
    to_a.min_by(count) { |key, value| block.call(key, value) }
  end

  def max_by(count = nil, &block)
    to_a.max_by(count) { |key, value| block.call(key, value) }
  end

  def each_with_index
    i = 0
    each do |key, value|
      yield [key, value], i
      i += 1
    end
    self
  end

  def stringify_keys
    transform_keys { |key| key.to_s }
  end

  def symbolize_keys
    transform_keys { |key| key.to_sym }
  end
end

class Range
  def step(by = 1, &block)
    raise ArgumentError, "step can't be 0 or negative" if by <= 0
    items = []
    last = self.end
    take = lambda do |i|
      block ? block.call(i) : items << i
    end
    i = self.begin
    if i.is_a?(Float) || by.is_a?(Float) || last.is_a?(Float)
      count = ((last - i) / by.to_f + 1e-9).floor
      (count + 1).times do |k|
        at = i + k * by.to_f
        take.call(at) unless exclude_end? && at >= last
      end
    else
      while last.nil? || (exclude_end? ? i < last : i <= last)
        raise ArgumentError, "endless step needs a block" if last.nil? && block.nil?
        take.call(i)
        i += by
      end
    end
    block ? self : items.each
  end
  alias % step

  def sum(start = 0, &block)
    if block.nil? && self.begin.is_a?(Integer) && self.end.is_a?(Integer)
      last = exclude_end? ? self.end - 1 : self.end
      return start if last < self.begin
      return start + (self.begin + last) * (last - self.begin + 1) / 2
    end
    super
  end

  def count(*arguments, &block)
    arguments.empty? && block.nil? ? to_a.length : super
  end

  def minmax
    [min, max]
  end
end

class Symbol
  def start_with?(*prefixes)
    to_s.start_with?(*prefixes)
  end

  def end_with?(*suffixes)
    to_s.end_with?(*suffixes)
  end

  def [](*arguments)
    to_s[*arguments]
  end

  def succ
    to_s.succ.to_sym
  end
end

class Proc
  def >>(other)
    mine = self
    lambda { |*arguments| other.call(mine.call(*arguments)) }
  end

  def <<(other)
    mine = self
    lambda { |*arguments| mine.call(other.call(*arguments)) }
  end
end

module Math
  class DomainError < ArgumentError; end unless const_defined?(:DomainError)
end

module Process
  CLOCK_MONOTONIC = 1
  CLOCK_REALTIME = 0

  def self.clock_gettime(clock, unit = :float_second)
    now = Time.now
    case unit
    when :millisecond then now.to_i * 1000 + now.nsec / 1_000_000
    when :microsecond then now.to_i * 1_000_000 + now.nsec / 1000
    when :nanosecond then now.to_i * 1_000_000_000 + now.nsec
    when :second then now.to_i
    else now.to_f
    end
  end

  def self.pid
    1
  end
end
