# SPDX-License-Identifier: Apache-2.0
#
# What Logstash puts around a filter's code.

module LogStash
  class TimestampParserError < StandardError
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

      # /(?<year>\d+)/ =~ text makes a local variable in Ruby. mruby calls a method then, which finds the group here.
      def method_missing(name, *arguments)
        match = $~
        return match[name] if arguments.empty? && match && match.names.include?(name.to_s)
        raise NameError, "undefined local variable or method '#{name}' for an instance of LogStash::Filters::Ruby" if arguments.empty?
        super
      end
    end
  end
end
