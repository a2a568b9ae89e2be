# SPDX-License-Identifier: Apache-2.0
#
# Marshal.load(Marshal.dump(object)), the usual way to a deep copy. What dump gives is only for load.

module Marshal
  class Dumped
    attr_reader :__object

    def initialize(object)
      @__object = object
    end
  end

  class << self
    def dump(object)
      Dumped.new(__copy(object, {}))
    end

    def load(dumped)
      raise NotImplementedError, "Marshal.load takes what Marshal.dump gave, for a deep copy" unless dumped.is_a?(Dumped)
      __copy(dumped.__object, {})
    end

    # known: what was copied already, by its id, so that cycles and things found twice stay so.
    def __copy(object, known)
      case object
      when nil, true, false, Numeric, Symbol, Module, Range, Regexp, Time then return object
      when Proc, Method then raise TypeError, "no _dump_data is defined for class #{object.class}"
      end
      found = known[object.object_id]
      return found[1] if found
      case object
      when String then __know(known, object, object.dup)
      when Array
        copy = __know(known, object, [])
        object.each { |item| copy << __copy(item, known) }
        copy
      when Hash
        raise TypeError, "can't dump hash with default proc" if object.default_proc
        copy = __know(known, object, object.default.nil? ? {} : Hash.new(object.default))
        object.each { |key, value| copy[__copy(key, known)] = __copy(value, known) }
        copy
      else __copy_object(object, known)
      end
    end

    def __know(known, object, copy)
      known[object.object_id] = [object, copy]
      copy
    end

    def __copy_object(object, known)
      copy = __know(known, object, object.dup)
      object.instance_variables.each do |name|
        copy.instance_variable_set(name, __copy(object.instance_variable_get(name), known))
      end
      object.each_pair { |name, value| copy[name] = __copy(value, known) } if object.is_a?(Struct)
      copy
    end
  end
end
