# SPDX-License-Identifier: Apache-2.0
#
# Of Ruby's standard library what pipelines use.

class Set
  include Enumerable

  def self.[](*items)
    new(items)
  end

  def initialize(items = nil, &block)
    @hash = {}
    (items || []).each { |item| add(block ? block.call(item) : item) }
  end

  def add(item)
    @hash[item] = true
    self
  end
  alias << add

  def add?(item)
    include?(item) ? nil : add(item)
  end

  def delete(item)
    @hash.delete(item)
    self
  end

  def include?(item)
    @hash.key?(item)
  end
  alias member? include?
  alias === include?

  def each(&block)
    return to_a.each unless block
    @hash.keys.each(&block)
    self
  end

  def to_a
    @hash.keys
  end

  def size
    @hash.size
  end
  alias length size

  def count(*arguments, &block)
    arguments.empty? && block.nil? ? size : to_a.count(*arguments, &block)
  end

  def empty?
    @hash.empty?
  end

  def clear
    @hash.clear
    self
  end

  def merge(*others)
    others.each { |items| items.each { |item| add(item) } }
    self
  end

  def |(other)
    dup.merge(other)
  end
  alias + |
  alias union |

  def &(other)
    other = other.to_set
    Set.new(to_a.select { |item| other.include?(item) })
  end
  alias intersection &

  def -(other)
    other = other.to_set
    Set.new(to_a.reject { |item| other.include?(item) })
  end
  alias difference -

  def ^(other)
    (self | other) - (self & other)
  end

  def subset?(other)
    all? { |item| other.include?(item) }
  end
  alias <= subset?

  def superset?(other)
    other.all? { |item| include?(item) }
  end
  alias >= superset?

  def disjoint?(other)
    (self & other).empty?
  end

  def intersect?(other)
    !disjoint?(other)
  end

  def ==(other)
    other.is_a?(Set) && size == other.size && subset?(other)
  end
  alias eql? ==

  def hash
    to_a.map { |item| item.hash }.sort.hash
  end

  def map!(&block)
    items = to_a.map(&block)
    clear
    merge(items)
  end

  def delete_if
    to_a.each { |item| delete(item) if yield(item) }
    self
  end
  alias reject! delete_if

  def select!(&block)
    delete_if { |item| !block.call(item) }
  end
  alias keep_if select!

  def dup
    Set.new(to_a)
  end
  alias clone dup

  def to_set
    self
  end

  def inspect
    "#<Set: {#{to_a.map { |item| item.inspect }.join(', ')}}>"
  end
  alias to_s inspect
end

SortedSet = Set

# The environment, to read.
class << (ENV = Object.new)
  include Enumerable

  def [](name)
    LogStash.__env(name)
  end
  alias get []

  def fetch(name, *default, &block)
    value = LogStash.__env(name)
    return value unless value.nil?
    return block.call(name) if block
    raise KeyError, "key not found: #{name.inspect}" if default.empty?
    default[0]
  end

  def key?(name)
    !LogStash.__env(name).nil?
  end
  alias has_key? key?
  alias include? key?
  alias member? key?

  def to_h
    LogStash.__environ.map { |entry| entry.split("=", 2) }.to_h
  end
  alias to_hash to_h

  def each(&block)
    to_h.each(&block)
  end
  alias each_pair each

  def keys
    to_h.keys
  end

  def values
    to_h.values
  end

  def []=(*)
    raise NotImplementedError, "a script cannot change the environment"
  end
  alias store []=
  alias delete []=

  def inspect
    "ENV"
  end
end

module Base64
  def self.strict_encode64(bytes)
    [bytes].pack("m0")
  end

  def self.encode64(bytes)
    [bytes].pack("m")
  end

  def self.decode64(text)
    text.unpack1("m")
  end

  def self.strict_decode64(text)
    raise ArgumentError, "invalid base64" unless text =~ /\A(?:[A-Za-z0-9+\/]{4})*(?:[A-Za-z0-9+\/]{2}==|[A-Za-z0-9+\/]{3}=)?\z/
    decode64(text)
  end

  def self.urlsafe_encode64(bytes, padding: true)
    text = strict_encode64(bytes).tr("+/", "-_")
    padding ? text : text.delete("=")
  end

  def self.urlsafe_decode64(text)
    text = text.tr("-_", "+/")
    strict_decode64(text + "=" * (-text.length % 4))
  end
end

module SecureRandom
  class << self
    def random_bytes(count = 16)
      LogStash.__random(count || 16)
    end
    alias bytes random_bytes

    def hex(count = 16)
      random_bytes(count).unpack1("H*")
    end

    def uuid
      text = hex(16)
      text[12] = "4"
      text[16] = "89ab"[text[16].hex & 3]
      "#{text[0, 8]}-#{text[8, 4]}-#{text[12, 4]}-#{text[16, 4]}-#{text[20, 12]}"
    end

    def base64(count = 16)
      Base64.strict_encode64(random_bytes(count))
    end

    def urlsafe_base64(count = 16)
      Base64.urlsafe_encode64(random_bytes(count), padding: false)
    end

    def alphanumeric(count = 16)
      letters = [*"A".."Z", *"a".."z", *"0".."9"]
      Array.new(count || 16) { letters[random_number(letters.length)] }.join
    end

    def random_number(limit = 0)
      bits = random_bytes(7).bytes.inject(0) { |number, byte| number << 8 | byte }
      return limit.begin + random_number(limit.end - limit.begin + (limit.exclude_end? ? 0 : 1)) if limit.is_a?(Range)
      return bits.to_f / (1 << 56) if limit.nil? || limit == 0
      limit.is_a?(Float) ? bits.to_f / (1 << 56) * limit : bits % limit
    end
    alias rand random_number
  end
end

module Zlib
  def self.crc32(bytes = "", crc = 0)
    crc ^= 0xffffffff
    bytes.each_byte do |byte|
      crc ^= byte
      8.times { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xedb88320 : crc >> 1 }
    end
    crc ^ 0xffffffff
  end
end

module Timeout
  class Error < RuntimeError; end
  class ExitException < Exception; end

  # A lane has no second thread to interrupt the first: the block simply runs.
  def self.timeout(*)
    yield
  end
end

class Mutex
  def synchronize
    yield
  end

  def lock
    self
  end
  alias unlock lock

  def try_lock
    true
  end

  def locked?
    false
  end
end

Monitor = Mutex

module MonitorMixin
  def synchronize
    yield
  end
  alias mon_synchronize synchronize
end

class Thread
  Mutex = ::Mutex

  def self.current
    @current ||= {}
  end

  def self.new(*)
    raise NotImplementedError, "a script cannot start threads"
  end
  class << self
    alias start new
    alias fork new
  end
end

module Singleton
  def self.included(into)
    class << into
      def instance
        @instance ||= new
      end
    end
  end
end

module Forwardable
  def def_delegator(to, method, name = method)
    define_method(name.to_sym) do |*arguments, &block|
      target = to.to_s[0] == "@" ? instance_variable_get(to.to_sym) : __send__(to.to_sym)
      target.__send__(method.to_sym, *arguments, &block)
    end
  end

  def def_delegators(to, *methods)
    methods.each { |method| def_delegator(to, method) }
  end
end

class OpenStruct
  def initialize(values = {})
    @table = {}
    values.each { |key, value| @table[key.to_sym] = value }
  end

  def [](name)
    @table[name.to_sym]
  end

  def []=(name, value)
    @table[name.to_sym] = value
  end

  def to_h
    @table.dup
  end

  def each_pair(&block)
    return @table.each_pair unless block
    @table.each_pair(&block)
    self
  end

  def dig(name, *rest)
    @table.dig(name.to_sym, *rest)
  end

  def delete_field(name)
    @table.delete(name.to_sym)
  end

  def ==(other)
    other.is_a?(OpenStruct) && to_h == other.to_h
  end

  def inspect
    "#<OpenStruct#{@table.map { |name, value| " #{name}=#{value.inspect}" }.join(',')}>"
  end
  alias to_s inspect

  def respond_to?(name, *)
    @table.key?(name.to_sym) || super
  end

  def method_missing(name, *arguments)
    text = name.to_s
    return self[text[0...-1]] = arguments[0] if text.end_with?("=")
    self[text]
  end
end
