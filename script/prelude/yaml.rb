# SPDX-License-Identifier: Apache-2.0
#
# YAML, read as Psych's safe_load does and written in its style. Aliases and objects are refused, as there.

module Psych
  class Exception < ::RuntimeError; end
  class SyntaxError < Exception; end
  class BadAlias < Exception; end
  class AliasesNotEnabled < BadAlias; end
  class DisallowedClass < Exception
    def initialize(action, name = nil)
      super(name ? "Tried to #{action} unspecified class: #{name}" : action)
    end
  end

  INTEGER = /\A[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*|0[0-7_,]+|0x[0-9a-fA-F_,]+|0b[01_,]+)\z/
  FLOAT = /\A[-+]?(?:[0-9][0-9_,]*)?\.[0-9]*(?:[eE][-+]?[0-9]+)?\z|\A[-+]?[0-9]+[eE][-+]?[0-9]+\z/
  SIXTY = /\A[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\z/
  DATE = /\A\d{4}-(?:1[012]|0?\d)-(?:[12]\d|3[01]|0?\d)\z/
  TIME = /\A-?\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d\d:\d\d(?:\.\d*)?(?:\s*(?:Z|[-+]\d{1,2}:?(?:\d\d)?))?\z/

  class << self
    def __plain(text)
      case text
      when "", "~", /\Anull\z/i then nil
      when /\A(?:yes|true|on)\z/i then true
      when /\A(?:no|false|off)\z/i then false
      when INTEGER then __integer(text.delete("_,"))
      when SIXTY then __sixty(text.delete("_"))
      when /\A[-+]?\.inf\z/i then text.start_with?("-") ? -Float::INFINITY : Float::INFINITY
      when /\A\.nan\z/i then Float::NAN
      when FLOAT then /\d/.match?(text) ? text.delete("_,").to_f : text
      when DATE then __allowed("Date") { Date.parse(text) } || text
      when TIME then __allowed("Time") { Time.parse(text) }
      when /\A:./ then __allowed("Symbol") { text[1..-1].delete("\"'").to_sym }
      else text
      end
    end

    def __integer(text)
      sign = text.start_with?("-") ? -1 : 1
      digits = text.delete("-+")
      case digits
      when /\A0x/ then sign * digits[2..-1].to_i(16)
      when /\A0b/ then sign * digits[2..-1].to_i(2)
      when /\A0./ then sign * digits.to_i(8)
      else sign * digits.to_i
      end
    end

    # 1:30:00
    def __sixty(text)
      sign = text.start_with?("-") ? -1 : 1
      parts = text.delete("-+").split(":")
      last = parts.pop
      whole = parts.inject(0) { |sum, part| sum * 60 + part.to_i }
      sign * (whole * 60 + (last.include?(".") ? last.to_f : last.to_i))
    end

    def __allowed(name)
      raise DisallowedClass.new("load", name) unless @allowed.include?(name)
      yield
    rescue Date::Error
      nil
    end

    def __load(text, allowed, symbolize, name)
      @allowed = allowed.map { |kind| kind.to_s }
      found = __parse(text.to_s, name || "<unknown>")
      found = text.to_s.strip.empty? ? false : found
      symbolize ? JSON.__symbolize(found) : found
    end

    def safe_load(text, permitted_classes: [], permitted_symbols: [], aliases: false, filename: nil, fallback: nil, symbolize_names: false)
      found = __load(text, permitted_classes, symbolize_names, filename)
      found == false ? fallback : found
    end

    def load(text, permitted_classes: [Symbol], permitted_symbols: [], aliases: false, filename: nil, fallback: nil, symbolize_names: false)
      found = __load(text, permitted_classes, symbolize_names, filename)
      found == false ? fallback : found
    end

    def unsafe_load(text, filename: nil, fallback: false, symbolize_names: false)
      __load(text, [Symbol, Date, Time], symbolize_names, filename)
    end

    def load_file(path, **options)
      load(File.read(path), filename: path, **options)
    end

    def safe_load_file(path, **options)
      safe_load(File.read(path), filename: path, **options)
    end

    def unsafe_load_file(path, **options)
      unsafe_load(File.read(path), filename: path, **options)
    end

    def dump(object, *)
      text = __write(object, "", false)
      "---" + (text.start_with?("\n") ? text : " " + text) + (text.end_with?("\n") ? "" : "\n")
    end

    # Behind "key:" or "-": a text on the same line, or lines of their own.
    def __write(object, indent, in_list)
      case object
      when Hash
        return "{}\n" if object.empty?
        lines = object.map do |key, value|
          inner = __write(value, value.is_a?(Array) ? indent : indent + "  ", false)
          "#{indent}#{__scalar(key)}:" + (inner.start_with?("\n") ? inner : " " + inner)
        end
        in_list ? lines.join[indent.length..-1] : "\n" + lines.join
      when Array
        return "[]\n" if object.empty?
        lines = object.map { |item| indent + "- " + __write(item, indent + "  ", true) }
        in_list ? lines.join[indent.length..-1] : "\n" + lines.join
      when String
        object.include?("\n") && !object.empty? ? __block(object, indent) : __scalar(object) + "\n"
      else __scalar(object) + "\n"
      end
    end

    def __block(text, indent)
      indent = "  " if indent.empty?
      "|#{text.end_with?("\n") ? '' : '-'}\n" + text.lines.map { |line| indent + line.chomp + "\n" }.join
    end

    def __scalar(object)
      case object
      when nil then ""
      when true, false, Integer then object.to_s
      when Float then object.nan? ? ".nan" : object.infinite? ? (object > 0 ? ".inf" : "-.inf") : object.to_s
      when Symbol then ":" + object.to_s
      when String then __text(object)
      else object.to_s
      end
    end

    def __text(text)
      plain = begin
        @allowed = %w[Date Time Symbol]
        __plain(text)
      end
      return "'#{text}'" if !plain.is_a?(String) || text.empty?
      return text.inspect if /[\x00-\x1f]/.match?(text)
      special = /\A[-?:,\[\]{}#&*!|>'"%@` ]|: |:\z| #|\s\z/.match?(text) && !/\A-[^\s-]/.match?(text)
      special ? (text.include?("'") ? text.inspect : "'#{text}'") : text
    end
  end
end

YAML = Psych

class Object
  def to_yaml(*)
    Psych.dump(self)
  end
end
