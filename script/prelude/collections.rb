# SPDX-License-Identifier: Apache-2.0
#
# Enumerable, Array, Hash and Range: what mruby lacks, and blocks that take a key and a value.

module Enumerable
  def sum(start = 0, &block)
    items = block ? map(&block) : to_a
    total = start == 0 ? items.__float_sum : nil
    total.nil? ? items.inject(start) { |sum, item| sum + item } : total
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
    others = others.map do |other|
      raise TypeError, "wrong argument type #{other.class} (must respond to :each)" unless other.respond_to?(:each)
      other.is_a?(Array) ? other : other.first(count)
    end
    result = []
    each_with_index { |item, i| result << [item] + others.map { |other| other[i] } }
    return result unless block
    result.each(&block)
    nil
  end

  def to_h(&block)
    to_a.to_h(&block)
  end
end

class Array
  def zip(*others, &block)
    super
  end

  def to_h(&block)
    result = {}
    each_with_index do |item, i|
      pair = block ? block.call(item) : item
      unless pair.is_a?(Array)
        raise TypeError, block ? "wrong element type #{pair.class} (expected array)" : "wrong element type #{pair.class} at #{i} (expected array)"
      end
      unless pair.length == 2
        raise ArgumentError, block ? "element has wrong array length (expected 2, was #{pair.length})" : "wrong array length at #{i} (expected 2, was #{pair.length})"
      end
      result[pair[0]] = pair[1]
    end
    result
  end

  def transpose
    return [] if empty?
    rows = map { |row| row.is_a?(Array) ? row : (raise TypeError, "no implicit conversion of #{row.__kind} into Array") }
    width = rows[0].length
    rows.each { |row| raise IndexError, "element size differs (#{row.length} should be #{width})" if row.length != width }
    Array.new(width) { |i| rows.map { |row| row[i] } }
  end

  alias __dig dig
  def dig(index, *rest)
    found = self[index]
    found.nil? || rest.empty? ? found : found.__digs(rest)
  end

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

class Object
  def __digs(rest)
    raise TypeError, "#{self.class} does not have #dig method" unless respond_to?(:dig)
    dig(*rest)
  end
end

class Hash
  alias __transform_keys transform_keys

  def transform_keys(names = nil, &block)
    return __transform_keys(&block) unless names
    result = {}
    each { |key, value| result[names.key?(key) ? names[key] : block ? block.call(key) : key] = value }
    result
  end

  def rassoc(value)
    each { |key, item| return [key, item] if item == value }
    nil
  end

  def to_h(&block)
    return self unless block
    result = {}
    each do |key, value|
      pair = block.call([key, value])
      raise TypeError, "wrong element type #{pair.class} (expected array)" unless pair.is_a?(Array)
      raise ArgumentError, "element has wrong array length (expected 2, was #{pair.length})" unless pair.length == 2
      result[pair[0]] = pair[1]
    end
    result
  end

  # As Ruby 3.4 has it: {"k" => 1, name: 2}
  def inspect
    return "{}" if empty?
    return "{...}" if LogStash.__inspecting.include?(__id__)
    begin
      LogStash.__inspecting << __id__
      pairs = map do |key, value|
        name = key.is_a?(Symbol) ? key.__key_text : nil
        name ? "#{name}: #{value.inspect}" : "#{key.inspect} => #{value.inspect}"
      end
      "{" + pairs.join(", ") + "}"
    ensure
      LogStash.__inspecting.pop
    end
  end
  alias to_s inspect

  def dig(key, *rest)
    found = self[key]
    found.nil? || rest.empty? ? found : found.__digs(rest)
  end

  def each_entry(&block)
    each(&block)
  end

  def sum(start = 0, &block)
    to_a.sum(start, &block)
  end

  def filter_map
    result = []
    each do |key, value|
      found = yield([key, value])
      result << found if found
    end
    result
  end

  def find(&block)
    each { |key, value| return [key, value] if block.call([key, value]) }
    nil
  end
  alias detect find

  def partition(&block)
    to_a.partition { |key, value| block.call([key, value]) }
  end

  def group_by(&block)
    to_a.group_by { |key, value| block.call([key, value]) }
  end

  def flat_map(&block)
    map { |key, value| block.call([key, value]) }.flatten(1)
  end

  def any?(*pattern, &block)
    return to_a.any?(*pattern) unless pattern.empty?
    return !empty? unless block
    each { |key, value| return true if block.call([key, value]) }
    false
  end

  def all?(*pattern, &block)
    return to_a.all?(*pattern) unless pattern.empty?
    return true unless block
    each { |key, value| return false unless block.call([key, value]) }
    true
  end

  def none?(*pattern, &block)
    !any?(*pattern, &block)
  end

  def count(*arguments, &block)
    return length if arguments.empty? && block.nil?
    n = 0
    each { |key, value| n += 1 if block.call([key, value]) }
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
    to_a.sort_by { |key, value| block.call([key, value]) }
  end

  def min_by(count = nil, &block)
    to_a.min_by(count) { |key, value| block.call([key, value]) }
  end

  def max_by(count = nil, &block)
    to_a.max_by(count) { |key, value| block.call([key, value]) }
  end

  def each_with_index(&block)
    return to_a.each_with_index unless block
    i = 0
    each do |key, value|
      block.call([key, value], i)
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

class Hash
  def fetch(key, *default)
    return self[key] if key?(key)
    return yield(key) if block_given?
    raise KeyError, "key not found: #{key.inspect}" if default.empty?
    default[0]
  end
end

class Symbol
  # "name" or "\"odd name\"" before the colon of an inspected Hash; nil: an operator.
  def __key_text
    text = to_s
    return text if /\A[A-Za-z_][A-Za-z_0-9]*[?!]?\z/.match?(text)
    inspect.start_with?(":\"") ? text.inspect : text.inspect
  end
end

module LogStash
  @inspecting = []
  def self.__inspecting
    @inspecting
  end
end

class Array
  alias __times *

  def *(other)
    other.is_a?(String) ? join(other) : __times(other)
  end
end

class Struct
  class << self
    alias __new new

    def new(*names, keyword_init: false, &block)
      made = __new(*names, &block)
      made.include(LogStash::KeywordInit) if keyword_init
      made
    end
  end
end

class Struct
  def inspect
    name = self.class.name
    "#<struct #{name ? name + ' ' : ''}#{members.map { |member| "#{member}=#{self[member].inspect}" }.join(', ')}>"
  end
  alias to_s inspect

  def each(&block)
    block ? (to_a.each(&block) && self) : to_enum(:each)
  end

  def each_pair(&block)
    return to_enum(:each_pair) unless block
    members.each { |member| block.call([member, self[member]]) }
    self
  end
end

# Goes between a structure and Struct.
module LogStash::KeywordInit
  def initialize(pairs = {})
    unknown = pairs.keys - members
    raise ArgumentError, "unknown keywords: #{unknown.join(", ")}" unless unknown.empty?
    super(*members.map { |name| pairs[name] })
  end
end
