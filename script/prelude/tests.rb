# SPDX-License-Identifier: Apache-2.0
#
# Tests in a script file: test "…" do parameters { … }; in_event { … }; expect("…") { |events| … } end

module LogStash
  # One test: self of its block. script is an object with the file's methods that no other test has touched.
  class ScriptTest
    def initialize(name, script)
      @name = name
      @script = script
      @parameters = {}
      @expectations = []
    end

    # Without this register is not called, as in Logstash.
    def parameters
      return @parameters unless block_given?
      @parameters = yield
      raise ArgumentError, "parameters must be a Hash" unless @parameters.is_a?(Hash)
      @script.register(@parameters) if @script.respond_to?(:register)
    end

    def in_event
      return @in_events unless block_given?
      given = yield
      given = [given] if given.is_a?(Hash)
      unless given.is_a?(Array) && given.all? { |event| event.is_a?(Hash) }
        raise ArgumentError, "in_event must be a Hash or an Array of Hashes"
      end
      @in_events = given.map { |event| Event.new(event) }
    end
    alias in_events in_event

    def expect(name, &block)
      raise ArgumentError, "expect needs a block" unless block
      @expectations << [name.to_s, block]
    end

    def __expectations
      @expectations.length
    end

    # What does not hold of events, a text each.
    def __judge(events)
      @expectations.map { |name, block| __failure_of(name, block, events) }.compact
    end

    def __failure_of(name, block, events)
      exception = nil
      begin
        return nil if block.call(events)
      rescue StandardError => e
        exception = e
      end
      title = "test '#{@name}', '#{name}'"
      LogStash.__log(1, "#{title} failed with", events.map { |event| event.to_hash_with_metadata }.inspect)
      text = exception ? "#{title} raised #{exception.class}: #{exception.message}" : title
      text.split("\n").join(" ")
    end
  end
end
