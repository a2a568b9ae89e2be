# SPDX-License-Identifier: Apache-2.0
#
# What Logstash puts around a filter's code.

module LogStash
  # An integer beyond 64 bits, which mruby has not: it can be kept, compared, printed and stored, not reckoned with.
  class BigInteger
    def initialize(digits)
      @digits = digits
    end

    def to_s
      @digits
    end
    alias inspect to_s

    def to_i
      self
    end

    def to_f
      @digits.to_f
    end

    def ==(other)
      other.is_a?(BigInteger) && to_s == other.to_s
    end
    alias eql? ==

    def hash
      @digits.hash
    end
  end

  class Timestamp
    def hash
      to_s.hash
    end

    def eql?(other)
      other.is_a?(Timestamp) && (self <=> other) == 0
    end
  end

  class Event
    def to_s
      "#{get('@timestamp')} #{get('host') || '%{host}'} #{get('message') || '%{message}'}"
    end

    def inspect
      "#<LogStash::Event>"
    end

    def metadata
      get("@metadata")
    end
  end

  # Takes what scripts say and hands it to the log of the pipeline.
  class Logger
    [:trace, :debug, :info, :warn, :error, :fatal].each_with_index do |level, number|
      define_method(level) { |message = nil, details = nil| LogStash.__log(number, message.to_s, details ? details.inspect : "") }
      define_method((level.to_s + "?").to_sym) { LogStash.__log?(number) }
    end
  end

  module Filters
    class Ruby
      def logger
        @logger ||= LogStash::Logger.new
      end
    end
  end
end
