# SPDX-License-Identifier: Apache-2.0
#
# Files can be read while the pipeline starts, not for each event. The rest of File and IO, and sockets, would block a lane.
class IO
  def self.method_missing(name, *)
    raise NotImplementedError, "#{self}.#{name} would hold up the pipeline; read in init with File.read, or use an input or output"
  end

  def self.new(*)
    method_missing(:new)
  end
end

# Where puts and the like go.
class LogStash::Stream
  def initialize(to_stderr)
    @to_stderr = to_stderr
  end

  def write(*texts)
    texts.each { |text| LogStash.__print(text.to_s, @to_stderr) }
    texts.sum { |text| text.to_s.bytesize }
  end

  def print(*texts)
    write(*texts)
    nil
  end

  def <<(text)
    write(text)
    self
  end

  def puts(*values)
    values = [""] if values.empty?
    values.flatten.each { |value| (text = value.to_s).end_with?("\n") ? write(text) : write(text, "\n") }
    nil
  end

  def putc(value)
    write(value.is_a?(Integer) ? (value & 255).chr : value.to_s[0])
    value
  end

  def printf(format, *values)
    write(format % values)
    nil
  end

  def flush
    self
  end

  def sync
    true
  end

  def sync=(value)
    value
  end

  def tty?
    false
  end
  alias isatty tty?
end

$stdout = LogStash::Stream.new(false)
$stderr = LogStash::Stream.new(true)
STDOUT = $stdout
STDERR = $stderr

class Dir < IO
  GLOB_DEPTH = 8 # folders that ** goes down

  class << self
    def glob(patterns, *, base: nil)
      File.__at_start("Dir.glob")
      found = [patterns].flatten.map { |pattern| __glob(base ? "#{base}/#{pattern}" : pattern.to_s) }.flatten.uniq
      found = found.map { |path| path[(base.length + 1)..-1] } if base
      return found unless block_given?
      found.each { |path| yield path }
      nil
    end

    def [](*patterns)
      glob(patterns)
    end

    def __glob(pattern)
      return LogStash.__glob(pattern) unless pattern.include?("**/")
      (0..GLOB_DEPTH).map { |depth| LogStash.__glob(pattern.sub("**/", "*/" * depth)) }.flatten.uniq.sort
    end

    def exist?(path)
      File.__at_start("Dir.exist?")
      LogStash.__directory?(path.to_s)
    end

    def children(path)
      raise Errno::ENOENT, "No such file or directory @ dir_initialize - #{path}" unless exist?(path)
      LogStash.__glob("#{path}/{*,.[!.]*}").map { |found| File.basename(found) }.sort
    end

    def entries(path)
      [".", ".."] + children(path)
    end

    def each_child(path, &block)
      children(path).each(&block)
    end

    def empty?(path)
      children(path).empty?
    end
  end
end

class FileTest < IO; end

class File < IO
  SEPARATOR = "/"

  class << self
    def __at_start(name)
      return unless LogStash.__filtering?
      name = "File.#{name}" unless name.include?(".")
      raise NotImplementedError, "#{name} for each event would hold up the pipeline; do it in init"
    end

    def read(path, *)
      __at_start("read")
      LogStash.__read(path) || (raise Errno::ENOENT, "No such file or directory @ rb_sysopen - #{path}")
    end
    alias binread read

    def readlines(path, chomp: false)
      lines = read(path).lines
      chomp ? lines.map { |line| line.chomp } : lines
    end

    def foreach(path, &block)
      readlines(path).each(&block)
    end

    def exist?(path)
      __at_start("exist?")
      LogStash.__exist?(path)
    end
    alias readable? exist?

    def directory?(path)
      __at_start("directory?")
      LogStash.__directory?(path)
    end

    def file?(path)
      exist?(path) && !LogStash.__directory?(path)
    end

    def expand_path(path, base = "/")
      path = "#{base}/#{path}" unless path.start_with?("/")
      parts = []
      path.split("/").each { |part| part == ".." ? parts.pop : (parts << part unless part.empty? || part == ".") }
      "/" + parts.join("/")
    end
    alias absolute_path expand_path

    def basename(path, suffix = nil)
      name = path.sub(/\/+\z/, "")[/[^\/]*\z/]
      return name[0...name.rindex(".")] if suffix == ".*" && (name.rindex(".") || 0) > 0
      suffix && name != suffix && name.end_with?(suffix) ? name[0...-suffix.length] : name
    end

    def dirname(path)
      path = path.sub(/\/+\z/, "")
      at = path.rindex("/")
      at.nil? ? "." : at == 0 ? "/" : path[0...at]
    end

    def extname(path)
      name = basename(path)
      at = name.rindex(".")
      at.nil? || at == 0 || at == name.length - 1 ? "" : name[at..-1]
    end

    def split(path)
      [dirname(path), basename(path)]
    end

    def join(*parts)
      parts.flatten.map { |part| part.to_s }.join("/").gsub(/\/{2,}/, "/")
    end

    def open(path, mode = "r", *)
      raise NotImplementedError, "a script cannot write files; use the file output" unless mode.to_s.start_with?("r")
      text = read(path)
      reader = StringIO.new(text)
      block_given? ? yield(reader) : reader
    end
    alias new open
  end
end

class StringIO
  include Enumerable

  attr_reader :string

  def initialize(string = "")
    @string = string
    @at = 0
  end

  def read(*)
    rest = @string[@at..-1]
    @at = @string.length
    rest
  end

  def gets
    return nil if @at >= @string.length
    stop = @string.index("\n", @at) || @string.length - 1
    line = @string[@at..stop]
    @at = stop + 1
    line
  end

  def each_line
    return to_enum(:each_line) unless block_given?
    while (line = gets)
      yield line
    end
    self
  end
  alias each each_line

  def readlines
    to_a
  end

  def eof?
    @at >= @string.length
  end

  def rewind
    @at = 0
  end

  def write(*texts)
    texts.each { |text| @string << text.to_s }
    nil
  end
  alias << write
  alias print write

  def puts(*texts)
    texts.each { |text| @string << text.to_s << "\n" }
    nil
  end

  def close
    nil
  end
end

class Socket < IO
  AF_INET = 2
  AF_INET6 = 10

  # Counts bytes, as such a text does in Ruby.
  module Bytes
    def [](*which)
      byteslice(*which)
    end
    alias slice []

    def length
      bytesize
    end
    alias size length
  end

  class << self
    def gethostname
      LogStash.__host_name
    end

    # Only packs what it is given, so nothing waits; names are not looked up. The bytes are those of JRuby, not of C:
    # the family in network order, and an address of IPv6 directly behind the port, where scripts take it out.
    def sockaddr_in(port, host)
      address = IPAddr.new(host.to_s)
      port = Integer(port || 0)
      family = address.ipv4? ? AF_INET : AF_INET6
      ([family, port].pack("nn") + address.hton + "\0" * 8).extend(Bytes)
    rescue IPAddr::Error
      raise NotImplementedError, "Socket.sockaddr_in takes addresses here, not names (#{host}): use the dns filter"
    end
    alias pack_sockaddr_in sockaddr_in

    def unpack_sockaddr_in(packed)
      family, port = packed.byteslice(0, 4).unpack("nn")
      return [port, packed.byteslice(4, 4).unpack("C4").join(".")] if family == AF_INET
      [port, packed.byteslice(4, 16).unpack("n8").map { |group| format("%04x", group) }.join(":")]
    end
  end
end

class BasicSocket < IO; end
class TCPSocket < IO; end
class UDPSocket < IO; end
class UNIXSocket < IO; end
class TCPServer < IO; end

module Resolv
  def self.method_missing(name, *)
    raise NotImplementedError, "Resolv.#{name} would hold up the pipeline; use the dns filter"
  end
end

module Net
  class HTTP < IO; end
end
