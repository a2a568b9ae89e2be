# SPDX-License-Identifier: Apache-2.0
#
# Methods of Ruby's core classes that mruby as packaged lacks or has differently.

class EncodingError < StandardError; end
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
  # How messages name a value: nil, true and numbers as they are, of anything else the class.
  def __told
    case self
    when nil, true, false, Integer, Float, Symbol then inspect
    else self.class.to_s
    end
  end

  # The same where a number is called by its class.
  def __kind
    nil? || self == true || self == false ? inspect : self.class.to_s
  end

  # self <=> other, where there has to be an order.
  def __order(other)
    (self <=> other) || (raise ArgumentError, "comparison of #{self.class} with #{other.__told} failed")
  end

  alias __Integer Integer
  alias __Float Float

  def Integer(value, base = 0, exception: true)
    case value
    when String
      text = value.strip
      raise ArgumentError, "invalid value for Integer(): #{value.inspect}" if text =~ /__|\A_|_\z|\A[-+]\s/ || text.include?("\0")
      begin
        base == 0 ? __Integer(text) : __Integer(text, base)
      rescue ArgumentError => e
        raise ArgumentError, e.message.start_with?("invalid radix") ? e.message : "invalid value for Integer(): #{value.inspect}"
      end
    when Integer then value
    when Float
      raise FloatDomainError, value.to_s if value.nan? || value.infinite?
      value.to_i
    when nil then raise TypeError, "can't convert nil into Integer"
    else
      return value.to_int if value.respond_to?(:to_int)
      return value.to_i if value.respond_to?(:to_i)
      raise TypeError, "can't convert #{value.__kind} into Integer"
    end
  rescue StandardError => e
    raise e if exception
    nil
  end

  FLOAT_TEXT = /\A[-+]?(?:\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:e[-+]?\d+(?:_\d+)*)?|0x\h+(?:\.\h+)?(?:p[-+]?\d+)?)\z/i

  def Float(value, exception: true)
    case value
    when String
      text = value.strip
      raise ArgumentError, "invalid value for Float(): #{value.inspect}" unless FLOAT_TEXT.match?(text)
      text =~ /\A[-+]?0x/i ? __Float(text.delete("_")) : text.to_f
    when Float then value
    when Numeric then value.to_f
    when nil, true, false then raise TypeError, "can't convert #{value.inspect} into Float"
    else
      raise TypeError, "can't convert #{value.__kind} into Float" unless value.respond_to?(:to_f)
      value.to_f
    end
  rescue StandardError => e
    raise e if exception
    nil
  end

  alias __Hash Hash
  def Hash(value)
    return {} if value.nil? || value == []
    raise TypeError, "can't convert #{value.__kind} into Hash" unless value.respond_to?(:to_hash)
    value.to_hash
  end

  # What the compiler makes of defined?(name).
  def __defined?(kind, name)
    there = case kind
    when "instance-variable" then instance_variable_defined?(name)
    when "global-variable" then global_variables.include?(name)
    when "class variable" then self.class.class_variable_defined?(name)
    when "constant" then Object.const_defined?(name) || self.class.const_defined?(name)
    else respond_to?(name, true)
    end
    there ? kind : nil
  end

  def public_send(name, *arguments, &block)
    __send__(name, *arguments, &block)
  end

  def instance_variable_names
    instance_variables.map { |name| name.to_s }
  end

  def print(*values)
    $stdout.print(*values)
  end

  def puts(*values)
    $stdout.puts(*values)
  end

  def putc(value)
    $stdout.putc(value)
  end

  def printf(*values)
    $stdout.printf(*values)
  end

  def p(*values)
    values.each { |value| $stdout.write(value.inspect, "\n") }
    values.length > 1 ? values : values[0]
  end
  alias pp p

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
    base64 bigdecimal/util cgi cgi/util cgi/escape csv date digest digest/md5 digest/sha1 digest/sha2 digest/sha256
    English erb forwardable ipaddr json logger logstash/event logstash/timestamp monitor openssl ostruct pp stringio
    securerandom set singleton socket strscan thread time timeout uri yaml psych zlib
  ]

  def self.__built_in?(name)
    name = name[0...-3] if name.end_with?(".rb")
    BUILT_IN.include?(name) || name.start_with?("logstash/")
  end

  def self.__cannot_load(name)
    "cannot load '#{name}': a pipeline has no gems and no Java, only what is built in; docs/ruby.md names it and what to use instead"
  end

  def require(name)
    name = name.to_s
    return false if Kernel.__built_in?(name)
    raise LoadError, Kernel.__cannot_load(name)
  end

  def require_relative(name)
    raise LoadError, "cannot load '#{name}': put its code into the script, or use path"
  end
  alias load require_relative
end

class LoadError < ScriptError; end unless Object.const_defined?(:LoadError)

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

module LogStash
  # The line of the first require of a script that can only raise, and what to say of it. A script that
  # expects that it raises (LoadError) is left alone.
  def self.__unloadable(code)
    return nil if !code.include?("require") || code.include?("LoadError") || code.include?("Exception")
    number = 0
    code.each_line do |line|
      number += 1
      found = /\A\s*require\s*\(?\s*(['"])([^'"#]+)\1\s*\)?\s*(;|#|\z)/.match(line)
      return [number, Kernel.__cannot_load(found[2])] if found && !Kernel.__built_in?(found[2])
    end
    nil
  end
end
