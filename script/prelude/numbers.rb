# SPDX-License-Identifier: Apache-2.0

class Integer
  def even?
    self % 2 == 0
  end

  def odd?
    self % 2 == 1
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
    rest == 0 ? 0 : rest.to_s(2).length
  end

  def [](bit)
    (self >> bit) & 1
  end

  def fdiv(other)
    to_f / other
  end

  def remainder(other)
    rest = self % other
    rest != 0 && (self < 0) != (other < 0) ? rest - other : rest
  end

  PIECE = 1 << 32

  def __bits(other, operator)
    raise TypeError, "no implicit conversion of #{other.__kind} into Integer" unless other.is_a?(Integer)
    a = self
    b = other
    result = 0
    unit = 1
    until (a == 0 || a == -1) && (b == 0 || b == -1)
      a, x = a.divmod(PIECE)
      b, y = b.divmod(PIECE)
      result += x.__send__(operator, y) * unit
      unit *= PIECE
    end
    result + a.__send__(operator, b) * unit
  end

  def size
    8
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

  alias __round round

  def round(digits = 0, half: :up)
    return digits > 0 ? self : (raise FloatDomainError, to_s) if nan? || infinite?
    digits > 0 ? __round_to(digits, half == :even) : digits == 0 ? __round_half(half) : to_i.round(digits)
  end

  def __round_half(half)
    return to_i if abs >= 4503599627370496.0 # 2 ** 52: no fraction is left
    return __round unless half == :even || half == :down
    rest = (abs % 1 - 0.5)
    return __round unless rest == 0
    low = truncate
    half == :down || low.even? ? low : low + (self < 0 ? -1 : 1)
  end

  def next_float
    __neighbour(1)
  end

  def prev_float
    __neighbour(-1)
  end
end

class Numeric
  def magnitude
    abs
  end

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
    raise ArgumentError, "min argument must be less than or equal to max argument" if low && high && (low <=> high) > 0
    return low if low && (self <=> low) < 0
    high && (self <=> high) > 0 ? high : self
  end
end

module Math
  class DomainError < ArgumentError; end unless const_defined?(:DomainError)
end

# The simplest fraction between a/b and c/d, as [numerator, denominator]; 0 < a/b < c/d.
module LogStash
  def self.__simplest(a, b, c, d)
    whole = a / b
    return [whole, 1] if whole * b == a
    return [whole + 1, 1] if (whole + 1) * d < c
    n, m = __simplest(d, c - whole * d, b, a - whole * b)
    [whole * n + m, n]
  end
end

class Integer
  def rationalize(*)
    Rational(self, 1)
  end

  def to_c
    Complex(self, 0)
  end
end

class Float
  # Within limit, else the simplest that is this Float.
  def rationalize(limit = nil)
    return Rational(0, 1) if self == 0
    return -(-self).rationalize(limit) if self < 0
    if limit
      unit = 1 << 60
      low = ((self - limit.abs) * unit).to_i
      high = ((self + limit.abs) * unit).to_i
      return to_r if low == high
      return Rational(0, 1) if low <= 0
      return Rational(*LogStash.__simplest(low, unit, high, unit))
    end
    mantissa, exponent = Math.frexp(self)
    mantissa = (mantissa * (1 << 53)).to_i
    exponent -= 54
    return Rational(to_i, 1) if exponent >= -1
    unit = 1 << -exponent
    Rational(*LogStash.__simplest(2 * mantissa - 1, unit, 2 * mantissa + 1, unit))
  end

  def to_c
    Complex(self, 0)
  end
end

class NilClass
  def to_r
    Rational(0, 1)
  end
  alias rationalize to_r

  def to_c
    Complex(0, 0)
  end
end

# mruby keeps both parts as Floats; whole ones are shown as the Integers that they mostly were.
class Complex
  def __part(part)
    part.is_a?(Float) && part.finite? && part == part.floor && part.abs < 1e15 ? part.to_i : part
  end

  def to_s
    i = __part(imaginary)
    "#{__part(real)}#{i < 0 ? '-' : '+'}#{i.abs}i"
  end

  def inspect
    "(#{self})"
  end
end

class Rational
  def floor(digits = 0)
    digits == 0 ? numerator.div(denominator) : Rational((self * 10 ** digits).floor, 10 ** digits)
  end

  def ceil(digits = 0)
    -(-self).floor(digits)
  end

  def truncate(digits = 0)
    self < 0 ? ceil(digits) : floor(digits)
  end

  def round(digits = 0, half: :up)
    return Rational((self * 10 ** digits).round(half: half), 10 ** digits) unless digits == 0
    double = numerator.abs * 2 + denominator
    value = double.div(2 * denominator)
    tie = double % (2 * denominator) == 0
    value -= 1 if tie && (half == :down || (half == :even && value.odd?))
    self < 0 ? -value : value
  end
end

module Kernel
  alias __rand rand

  def rand(limit = 0)
    return __rand(limit) unless limit.is_a?(Range)
    SecureRandom.random_number(limit)
  end

  alias __Rational Rational

  def Rational(value, denominator = 1)
    value = value.to_r if value.is_a?(String)
    denominator = denominator.to_r if denominator.is_a?(String)
    raise TypeError, "can't convert nil into Rational" if value.nil? || denominator.nil?
    raise ZeroDivisionError, "divided by 0" if denominator == 0
    value.is_a?(Integer) && denominator.is_a?(Integer) ? __Rational(value, denominator) : value.to_r / denominator.to_r
  end
end
