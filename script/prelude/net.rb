# SPDX-License-Identifier: Apache-2.0
#
# Addresses and their texts: URI, CGI, IPAddr.

module URI
  class Error < StandardError; end
  class InvalidURIError < Error; end

  PORTS = { "http" => 80, "https" => 443, "ftp" => 21, "ldap" => 389, "ws" => 80, "wss" => 443 }
  PARTS = %r{\A(?:([A-Za-z][A-Za-z0-9+.\-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?\z}m

  class Generic
    attr_accessor :scheme, :userinfo, :host, :port, :path, :query, :fragment, :opaque

    def initialize(scheme, userinfo, host, port, path, query, fragment, opaque = nil)
      @scheme = scheme
      @userinfo = userinfo
      @host = host
      @port = port
      @path = path
      @query = query
      @fragment = fragment
      @opaque = opaque
    end

    def hostname
      host && host.sub(/\A\[(.*)\]\z/, "\\1")
    end

    def user
      userinfo && userinfo.split(":", 2)[0]
    end

    def password
      userinfo && userinfo.split(":", 2)[1]
    end

    def default_port
      PORTS[scheme]
    end

    def request_uri
      (path.empty? ? "/" : path) + (query ? "?" + query : "")
    end

    def absolute?
      !scheme.nil?
    end

    def relative?
      scheme.nil?
    end

    def to_s
      text = scheme ? scheme + ":" : ""
      return text + opaque if opaque
      if host
        text += "//" + (userinfo ? userinfo + "@" : "") + host
        text += ":#{port}" if port && port != default_port
      end
      text + path + (query ? "?" + query : "") + (fragment ? "#" + fragment : "")
    end

    def inspect
      "#<#{self.class} #{self}>"
    end

    def ==(other)
      other.is_a?(Generic) && to_s == other.to_s
    end
    alias eql? ==

    def hash
      to_s.hash
    end
  end

  class HTTP < Generic; end
  class HTTPS < HTTP; end

  class << self
    def parse(text)
      text = text.to_s
      raise InvalidURIError, "bad URI (is not URI?): #{text.inspect}" if text =~ /[\s<>"{}|\\^`]/ || !text.ascii_only?
      found = PARTS.match(text)
      scheme = found[1] && found[1].downcase
      path = found[3]
      if scheme && found[2].nil? && !path.start_with?("/") && !path.empty?
        return Generic.new(scheme, nil, nil, nil, nil, nil, found[5], path + (found[4] ? "?" + found[4] : ""))
      end
      userinfo, host, port = authority(found[2], text)
      kind = scheme == "http" ? HTTP : scheme == "https" ? HTTPS : Generic
      kind.new(scheme, userinfo, host, port || PORTS[scheme], path, found[4], found[5])
    end

    def authority(text, whole)
      return [nil, nil, nil] if text.nil?
      found = /\A(?:([^@]*)@)?(\[[^\]]*\]|[^:]*)(?::(\d*))?\z/.match(text)
      raise InvalidURIError, "bad URI (is not URI?): #{whole.inspect}" unless found
      [found[1], found[2], found[3].to_s.empty? ? nil : found[3].to_i]
    end

    def join(base, relative)
      part = parse(relative)
      return part if part.absolute?
      whole = parse(base)
      directory = whole.path.sub(/[^\/]*\z/, "")
      whole.path = part.path.start_with?("/") ? part.path : directory + part.path
      whole.query = part.query
      whole
    end

    def extract(text, *)
      text.scan(%r{[a-zA-Z][a-zA-Z0-9+.\-]*://[^\s<>"]+})
    end

    def __escape(text, unreserved)
      text.to_s.bytes.map { |byte| unreserved.include?(byte.chr) && byte < 128 ? byte.chr : "%%%02X" % byte }.join
    end

    def __unescape(text)
      bytes = []
      i = 0
      source = text.bytes
      while i < source.length
        code = source[i] == 37 ? text.byteslice(i + 1, 2).to_s : ""
        if code =~ /\A[0-9a-fA-F]{2}\z/
          bytes << code.to_i(16)
          i += 3
        else
          bytes << source[i]
          i += 1
        end
      end
      bytes.pack("C*")
    end

    LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    def encode_www_form_component(text, *)
      __escape(text, LETTERS + "*-._ ").gsub(" ", "+")
    end

    def decode_www_form_component(text, *)
      raise ArgumentError, "invalid %-encoding (#{text})" if text =~ /%(?![0-9a-fA-F]{2})/
      __unescape(text.gsub("+", " "))
    end

    def encode_uri_component(text, *)
      __escape(text, LETTERS + "*-._")
    end

    def decode_uri_component(text, *)
      __unescape(text)
    end

    def encode_www_form(pairs)
      pairs.map do |key, value|
        items = value.is_a?(Array) ? value : [value]
        items.map { |item| encode_www_form_component(key) + (item.nil? ? "" : "=" + encode_www_form_component(item)) }.join("&")
      end.join("&")
    end

    def decode_www_form(text, *)
      text.split("&").map do |pair|
        key, value = pair.split("=", 2)
        [decode_www_form_component(key.to_s), decode_www_form_component(value.to_s)]
      end
    end

    # The old pair, gone from Ruby 3 but still written.
    def escape(text, *)
      __escape(text, LETTERS + "-_.!~*'();/?:@&=+$,[]")
    end
    alias encode escape

    def unescape(text)
      __unescape(text)
    end
    alias decode unescape

    def regexp(*)
      %r{[a-zA-Z][a-zA-Z0-9+.\-]*://[^\s<>"]+}
    end
  end

  DEFAULT_PARSER = self
end

module Kernel
  def URI(text)
    URI.parse(text)
  end
end

module CGI
  ENTITIES = { "&" => "&amp;", "<" => "&lt;", ">" => "&gt;", "\"" => "&quot;", "'" => "&#39;" }
  NAMES = { "amp" => "&", "lt" => "<", "gt" => ">", "quot" => "\"", "apos" => "'" }

  class << self
    def escape(text)
      URI.encode_www_form_component(text)
    end

    def unescape(text, *)
      URI.__unescape(text.gsub("+", " "))
    end

    def escapeHTML(text)
      text.gsub(/[&<>"']/, ENTITIES)
    end
    alias escape_html escapeHTML
    alias h escapeHTML

    def unescapeHTML(text)
      text.gsub(/&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/i) do |whole|
        $1 ? $1.to_i(16).__utf8 : $2 ? $2.to_i.__utf8 : NAMES[$3.downcase] || whole
      end
    end
    alias unescape_html unescapeHTML

    def parse(query)
      result = {}
      query.to_s.split(/[&;]/).each do |pair|
        key, value = pair.split("=", 2).map { |part| unescape(part) }
        (result[key] ||= []) << value if key
      end
      result
    end
  end
end

# IPv4 as one number, IPv6 as eight of 16 bits: mruby's integers have 64 bits.
class IPAddr
  include Comparable

  class Error < ArgumentError; end
  class InvalidAddressError < Error; end
  class AddressFamilyError < Error; end
  class InvalidPrefixError < InvalidAddressError; end

  attr_reader :__words, :prefix

  def initialize(text = "::", family = nil)
    if text.is_a?(Integer)
      raise AddressFamilyError, "unsupported address family: #{family}" unless [nil, 2, 10].include?(family)
      width = family == 10 ? 8 : 2
      raise InvalidAddressError, "invalid address: #{text}" if text < 0 || text >= 1 << (16 * width)
      @__words = Array.new(width) { |i| text >> (16 * (width - 1 - i)) & 0xffff }
      @prefix = bits
      return
    end
    address, mask = text.to_s.strip.split("/", 2)
    @__words = IPAddr.__read(address.to_s.sub(/\A\[(.*)\]\z/, "\\1").sub(/%.*\z/, ""), text)
    @prefix = mask.nil? ? bits : __prefix(mask)
    __clear_host
  end

  def self.__read(text, whole)
    return __read4(text, whole) unless text.include?(":")
    found = /\A(.*:)(\d+\.\d+\.\d+\.\d+)\z/.match(text)
    text = found[1] + "%x:%x" % __read4(found[2], whole) if found
    head, tail = text.split("::", 2)
    invalid = text.scan("::").length > 1 || (text.include?("::") ? false : text.count(":") != 7)
    left = head.to_s.split(":", -1)
    right = text.include?("::") ? tail.to_s.split(":", -1) : []
    missing = 8 - left.length - right.length
    invalid ||= text.include?("::") ? missing < 1 : missing != 0
    words = left + ["0"] * (invalid ? 0 : missing) + right
    invalid ||= words.any? { |word| word !~ /\A[0-9a-fA-F]{1,4}\z/ }
    raise InvalidAddressError, "invalid address: #{whole}" if invalid
    words.map { |word| word.to_i(16) }
  end

  def self.__read4(text, whole)
    found = /\A(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\z/.match(text)
    bytes = found ? found.captures.map { |part| part.to_i } : [256]
    raise InvalidAddressError, "invalid address: #{whole}" if bytes.any? { |byte| byte > 255 }
    [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]]
  end

  def self.valid?(text)
    new(text)
    true
  rescue Error
    false
  end

  def bits
    @__words.length * 16
  end

  def __prefix(mask)
    if mask =~ /\A\d+\z/
      raise InvalidPrefixError, "invalid length: #{mask}" if mask.to_i > bits
      return mask.to_i
    end
    ones = IPAddr.__read(mask, mask).map { |word| "%016b" % word }.join
    raise InvalidPrefixError, "invalid mask: #{mask}" unless ones =~ /\A1*0*\z/ && ones.length == bits
    ones.count("1")
  end

  def __clear_host
    @__words = @__words.each_with_index.map { |word, i| word & __mask_word(i) }
  end

  def __mask_word(i)
    ones = [[@prefix - i * 16, 0].max, 16].min
    0xffff << (16 - ones) & 0xffff
  end

  def ipv4?
    @__words.length == 2
  end

  def ipv6?
    !ipv4?
  end

  def family
    ipv4? ? 2 : 10
  end

  def mask(length)
    IPAddr.new("#{self}/#{length}")
  end

  def include?(other)
    other = IPAddr.new(other) unless other.is_a?(IPAddr)
    other = other.ipv4_mapped? && ipv4? ? other.native : other
    return false if other.bits != bits || other.prefix < @prefix
    @__words.each_with_index.all? { |word, i| word == (other.__words[i] & __mask_word(i)) }
  end
  alias === include?

  def ipv4_mapped?
    ipv6? && @__words[0, 6] == [0, 0, 0, 0, 0, 0xffff]
  end

  def native
    return self unless ipv4_mapped?
    IPAddr.new(@__words[6] << 16 | @__words[7])
  end

  def loopback?
    address = native
    address.ipv4? ? address.__words[0] >> 8 == 127 : @__words == [0, 0, 0, 0, 0, 0, 0, 1]
  end

  def private?
    address = native
    return (@__words[0] & 0xfe00) == 0xfc00 unless address.ipv4?
    first = address.__words[0]
    first >> 8 == 10 || (first & 0xfff0) == 0xac10 || first == 0xc0a8
  end

  def link_local?
    address = native
    address.ipv4? ? address.__words[0] == 0xa9fe : (@__words[0] & 0xffc0) == 0xfe80
  end

  def to_i
    @__words.inject(0) { |number, word| number << 16 | word }
  end

  def hton
    @__words.map { |word| [word >> 8, word & 255] }.flatten.pack("C*")
  end

  def succ
    words = @__words.dup
    i = words.length - 1
    while i >= 0
      words[i] = words[i] + 1 & 0xffff
      break if words[i] != 0
      i -= 1
    end
    IPAddr.new(IPAddr.__text(words))
  end

  def reverse
    return @__words.map { |word| [word >> 8, word & 255] }.flatten.reverse.join(".") + ".in-addr.arpa" if ipv4?
    to_string.delete(":").reverse.chars.join(".") + ".ip6.arpa"
  end

  def self.__text(words)
    return words.map { |word| "#{word >> 8}.#{word & 255}" }.join(".") if words.length == 2
    best = 0
    length = 0
    words.each_index do |i|
      run = words[i..-1].take_while { |word| word == 0 }.length
      best, length = i, run if run > length
    end
    texts = words.map { |word| word.to_s(16) }
    return texts.join(":") if length < 2
    texts[0, best].join(":") + "::" + texts[best + length..-1].join(":")
  end

  def to_s
    IPAddr.__text(@__words)
  end

  def to_string
    ipv4? ? to_s : @__words.map { |word| "%04x" % word }.join(":")
  end

  def cidr
    "#{self}/#{@prefix}"
  end

  def <=>(other)
    other = IPAddr.new(other) if other.is_a?(String)
    other.is_a?(IPAddr) && bits == other.bits ? @__words <=> other.__words : nil
  end

  def ==(other)
    other = IPAddr.new(other) unless other.is_a?(IPAddr)
    bits == other.bits && @__words == other.__words
  rescue Error
    false
  end

  def eql?(other)
    other.is_a?(IPAddr) && self == other
  end

  def hash
    @__words.hash
  end

  def inspect
    "#<IPAddr: #{ipv4? ? 'IPv4' : 'IPv6'}:#{to_string}/#{__mask_text}>"
  end

  def __mask_text
    words = Array.new(@__words.length) { |i| __mask_word(i) }
    ipv4? ? IPAddr.__text(words) : words.map { |word| "%04x" % word }.join(":")
  end

  def self.new_ntoh(bytes)
    new(bytes.bytes.inject(0) { |number, byte| number << 8 | byte }, bytes.bytesize == 4 ? 2 : 10)
  end

  def to_range
    first = to_i
    IPAddr.new(first, family)..IPAddr.new(first + (1 << (bits - @prefix)) - 1, family)
  end
end
