# SPDX-License-Identifier: Apache-2.0

module JSON
  class JSONError < StandardError; end
  class ParserError < JSONError; end
  class NestingError < ParserError; end
  class GeneratorError < JSONError; end

  def self.parse(text, options = nil, symbolize_names: false)
    raise TypeError, "no implicit conversion of nil into String" if text.nil?
    symbolize_names = true if options.is_a?(Hash) && options[:symbolize_names]
    found = __parse(text.to_s)
    symbolize_names ? __symbolize(found) : found
  end

  def self.__symbolize(value)
    case value
    when Hash then value.map { |key, item| [key.to_sym, __symbolize(item)] }.to_h
    when Array then value.map { |item| __symbolize(item) }
    else value
    end
  end

  class << self
    alias parse! parse

    def load(text, *)
      text.nil? ? nil : parse(text)
    end

    def generate(object, *)
      __generate(object, false)
    end
    alias dump generate
    alias fast_generate generate

    def pretty_generate(object, *)
      __generate(object, true)
    end

    def [](object, *options)
      object.is_a?(String) ? parse(object, *options) : generate(object)
    end
  end
end

module Kernel
  def JSON(object)
    JSON[object]
  end
end

class Object
  def to_json(*)
    JSON.__generate(self, false)
  end

  # What JSON asks of an object that it does not know: nil stands for its text.
  def __own_json
    own = method(:to_json).owner
    own == Object || own == Kernel ? nil : to_json
  end
end

module LogStash
  class Timestamp
    def __own_json
      to_json
    end
  end

  module Json
    class ParserError < StandardError; end
    class GeneratorError < StandardError; end

    def self.load(text, *)
      JSON.parse(text)
    rescue JSON::ParserError => e
      raise ParserError, e.message
    end

    def self.dump(object)
      JSON.generate(object)
    end
  end
end

class Set
  def __own_json
    to_a.to_json
  end
end
