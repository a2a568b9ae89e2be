# SPDX-License-Identifier: Apache-2.0
#
# Integers beyond 64 bits, which mruby as packaged has not: those that an event holds, and what ** and << give, and + - *
# called by name (inject(:*)). Written as operators between two Integers these are instructions of mruby that call no
# method and raise a RangeError when the result does not fit. Digits are kept in limbs of nine, the lowest first.

class LogStash::BigInteger < Numeric
  LIMB = 1_000_000_000

  attr_reader :__negative, :__limbs

  def initialize(digits)
    @__negative = digits.start_with?("-")
    text = digits.sub(/\A[-+]/, "")
    @__limbs = []
    while text.length > 9
      @__limbs << text[-9, 9].to_i
      text = text[0...-9]
    end
    @__limbs << text.to_i
    __trim
  end

  def self.__from(negative, limbs)
    big = allocate
    big.__set(negative, limbs)
    big
  end

  # The Integer where it fits, else the BigInteger.
  def self.__result(negative, limbs)
    big = __from(negative, limbs)
    limbs = big.__limbs
    return big if limbs.length > 3 || (limbs.length == 3 && limbs[2] >= 9)
    value = 0
    limbs.reverse.each { |limb| value = value * LIMB + limb }
    big.__negative ? -value : value
  end

  def self.__wrap(number)
    number.is_a?(LogStash::BigInteger) ? number : new(number.to_s)
  end

  def __set(negative, limbs)
    @__negative = negative
    @__limbs = limbs
    __trim
  end

  def __trim
    @__limbs.pop while @__limbs.length > 1 && @__limbs[-1] == 0
    @__negative = false if @__limbs == [0]
  end

  def self.__compare(a, b)
    return a.length <=> b.length if a.length != b.length
    i = a.length - 1
    i -= 1 while i > 0 && a[i] == b[i]
    a[i] <=> b[i]
  end

  def self.__add(a, b)
    carry = 0
    result = []
    i = 0
    while i < a.length || i < b.length || carry > 0
      sum = (a[i] || 0) + (b[i] || 0) + carry
      result << sum % LIMB
      carry = sum / LIMB
      i += 1
    end
    result
  end

  # a >= b
  def self.__subtract(a, b)
    borrow = 0
    a.each_with_index.map do |limb, i|
      difference = limb - (b[i] || 0) - borrow
      borrow = difference < 0 ? 1 : 0
      difference + borrow * LIMB
    end
  end

  def self.__multiply(a, b)
    result = Array.new(a.length + b.length, 0)
    a.each_with_index do |x, i|
      carry = 0
      b.each_with_index do |y, j|
        product = x * y + result[i + j] + carry
        result[i + j] = product % LIMB
        carry = product / LIMB
      end
      result[i + b.length] += carry
    end
    result
  end

  # Long division, one limb after the other, each found by halving.
  def self.__divide(a, b)
    quotient = Array.new(a.length, 0)
    rest = [0]
    (a.length - 1).downto(0) do |i|
      rest.unshift(a[i])
      rest.pop while rest.length > 1 && rest[-1] == 0
      low = 0
      high = LIMB - 1
      while low < high
        middle = (low + high + 1) / 2
        product = __from(false, __multiply(b, [middle])).__limbs
        __compare(product, rest) <= 0 ? low = middle : high = middle - 1
      end
      quotient[i] = low
      rest = __from(false, __subtract(rest, __from(false, __multiply(b, [low])).__limbs)).__limbs
    end
    [quotient, rest]
  end

  def +(other)
    return to_f + other if other.is_a?(Float)
    other = LogStash::BigInteger.__wrap(other)
    big = LogStash::BigInteger
    return big.__result(__negative, big.__add(__limbs, other.__limbs)) if __negative == other.__negative
    return big.__result(__negative, big.__subtract(__limbs, other.__limbs)) if big.__compare(__limbs, other.__limbs) >= 0
    big.__result(other.__negative, big.__subtract(other.__limbs, __limbs))
  end

  def -(other)
    other.is_a?(Float) ? to_f - other : self + -LogStash::BigInteger.__wrap(other)
  end

  def *(other)
    return to_f * other if other.is_a?(Float)
    other = LogStash::BigInteger.__wrap(other)
    LogStash::BigInteger.__result(__negative != other.__negative, LogStash::BigInteger.__multiply(__limbs, other.__limbs))
  end

  def divmod(other)
    other = LogStash::BigInteger.__wrap(other)
    raise ZeroDivisionError, "divided by 0" if other.__limbs == [0]
    quotient, rest = LogStash::BigInteger.__divide(__limbs, other.__limbs)
    quotient = LogStash::BigInteger.__result(__negative != other.__negative, quotient)
    rest = LogStash::BigInteger.__result(__negative, rest)
    rest != 0 && __negative != other.__negative ? [quotient - 1, rest + other] : [quotient, rest]
  end

  def /(other)
    other.is_a?(Float) ? to_f / other : divmod(other)[0]
  end
  alias div /

  def %(other)
    divmod(other)[1]
  end
  alias modulo %

  def **(exponent)
    raise ArgumentError, "exponent too large" if exponent > 10_000
    result = 1
    base = self
    while exponent > 0
      result = LogStash::BigInteger.__wrap(base) * result if exponent & 1 == 1
      exponent >>= 1
      base = LogStash::BigInteger.__wrap(base) * base if exponent > 0
    end
    result
  end
  alias pow **

  def -@
    LogStash::BigInteger.__from(!__negative, __limbs)
  end

  def abs
    LogStash::BigInteger.__from(false, __limbs)
  end

  def <=>(other)
    return to_f <=> other if other.is_a?(Float)
    return nil unless other.is_a?(Integer)
    other = LogStash::BigInteger.__wrap(other)
    return __negative ? -1 : 1 if __negative != other.__negative
    order = LogStash::BigInteger.__compare(__limbs, other.__limbs)
    __negative ? -order : order
  end

  def ==(other)
    (self <=> other) == 0
  end
  alias eql? ==

  def coerce(other)
    [LogStash::BigInteger.__wrap(other), self]
  end

  # Both numbers in pieces of 16 bits, lowest first, in two's complement without an end.
  def __bits(other)
    big = LogStash::BigInteger
    one = self
    result = 0
    unit = big.__wrap(1)
    until (one == 0 || one == -1) && (other == 0 || other == -1)
      one, x = one.divmod(65_536)
      other, y = other.divmod(65_536)
      result = big.__wrap(unit * yield(x, y)) + result
      unit = big.__wrap(unit * 65_536)
    end
    yield(one, other) == -1 ? big.__wrap(result) - unit : result
  end

  def &(other)
    __bits(other) { |x, y| x & y }
  end

  def |(other)
    __bits(other) { |x, y| x | y }
  end

  def ^(other)
    __bits(other) { |x, y| x ^ y }
  end

  def <<(count)
    count < 0 ? self >> -count : self * 2**count
  end

  def >>(count)
    count < 0 ? self << -count : divmod(2**count)[0]
  end

  def bit_length
    to_s(2).delete("-").length
  end

  def digits(base = 10)
    to_s(base).reverse.chars.map { |digit| digit.to_i(base) }
  end

  def to_s(base = 10)
    return __to_base(base) if base != 10
    text = __limbs.reverse.each_with_index.map { |limb, i| i == 0 ? limb.to_s : limb.to_s.rjust(9, "0") }.join
    __negative ? "-" + text : text
  end

  def __to_base(base)
    rest = abs
    text = ""
    while rest != 0
      rest, digit = rest.divmod(base)
      text = digit.to_s(base) + text
    end
    __negative ? "-" + text : text
  end

  def inspect
    to_s
  end

  def to_i
    self
  end
  alias to_int to_i
  alias floor to_i
  alias ceil to_i
  alias round to_i
  alias truncate to_i

  def to_f
    to_s.to_f
  end

  def hash
    to_s.hash
  end

  def even?
    __limbs[0].even?
  end

  def odd?
    !even?
  end

  def zero?
    false
  end

  def positive?
    !__negative
  end

  def negative?
    __negative
  end

  def integer?
    true
  end

  def is_a?(kind)
    kind == Integer || super
  end
  alias kind_of? is_a?
end

class Integer
  def self.===(value)
    super || value.is_a?(LogStash::BigInteger)
  end

  # As methods: what two Integers give that does not fit is reckoned again.
  [[:+, :__plus], [:-, :__minus], [:*, :__times]].each do |name, plain|
    alias_method plain, name
    define_method(name) do |other|
      begin
        next LogStash::BigInteger.__wrap(self).__send__(name, other) if other.is_a?(LogStash::BigInteger)
        __send__(plain, other)
      rescue RangeError
        raise unless other.is_a?(Integer)
        LogStash::BigInteger.__wrap(self).__send__(name, other)
      end
    end
  end

  # What these make of a BigInteger on the right.
  %i[/ div modulo divmod < <= > >= ==].each do |name|
    next unless method_defined?(name)
    plain = "__plain#{name}".to_sym
    alias_method plain, name
    define_method(name) do |other|
      other.is_a?(LogStash::BigInteger) ? LogStash::BigInteger.__wrap(self).__send__(name, other) : __send__(plain, other)
    end
  end

  def __wide_modulo(other)
    other.is_a?(LogStash::BigInteger) ? LogStash::BigInteger.__wrap(self) % other : __modulo(other)
  end

  def __wide_compare(other)
    other.is_a?(LogStash::BigInteger) ? LogStash::BigInteger.__wrap(self) <=> other : __compare(other)
  end

  alias __shift <<

  def <<(count)
    __shift(count)
  rescue RangeError
    LogStash::BigInteger.__wrap(self) * 2**count
  end

  def size
    8
  end

  def __power(exponent)
    exponent < 0 ? to_f ** exponent : LogStash::BigInteger.__wrap(self) ** exponent
  end
end

class String
  alias __to_i to_i

  def to_i(base = 10)
    __to_i(base)
  rescue RangeError
    raise RangeError, "number too large" unless base == 10
    LogStash::BigInteger.new(delete("_")[/\A\s*([-+]?\d+)/, 1])
  end
end
