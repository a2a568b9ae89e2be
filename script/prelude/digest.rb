# SPDX-License-Identifier: Apache-2.0

module Digest
  class Base
    class << self
      attr_accessor :__algorithm

      def digest(bytes)
        LogStash.__digest(__algorithm, nil, bytes.to_s)
      end

      def hexdigest(bytes)
        digest(bytes).unpack1("H*")
      end

      def base64digest(bytes)
        [digest(bytes)].pack("m0")
      end

      def file(*)
        raise NotImplementedError, "Digest.file is not built in"
      end
    end

    def initialize
      @bytes = ""
    end

    def update(bytes)
      @bytes += bytes
      self
    end
    alias << update

    def reset
      @bytes = ""
      self
    end

    def digest(bytes = @bytes)
      self.class.digest(bytes)
    end

    def hexdigest(bytes = @bytes)
      self.class.hexdigest(bytes)
    end
    alias to_s hexdigest

    def base64digest(bytes = @bytes)
      self.class.base64digest(bytes)
    end
  end

  [[:MD5, 0], [:SHA1, 1], [:SHA256, 2], [:SHA384, 3], [:SHA512, 4]].each do |name, number|
    algorithm = Class.new(Base)
    algorithm.__algorithm = number
    const_set(name, algorithm)
  end

  class SHA2 < Base
    def initialize(bits = 256)
      super()
      @algorithm = { 256 => SHA256, 384 => SHA384, 512 => SHA512 }[bits]
      raise ArgumentError, "unsupported bit length: #{bits}" unless @algorithm
    end

    def digest(bytes = @bytes)
      @algorithm.digest(bytes)
    end

    def hexdigest(bytes = @bytes)
      @algorithm.hexdigest(bytes)
    end
    alias to_s hexdigest
  end
  SHA2.__algorithm = 2
end

module OpenSSL
  class Digest
    NAMES = { "md5" => 0, "sha1" => 1, "sha256" => 2, "sha384" => 3, "sha512" => 4 }

    attr_reader :__algorithm

    def initialize(name = self.class::NAME)
      @__algorithm = NAMES[name.to_s.downcase.delete("-")]
      raise ArgumentError, "unsupported digest algorithm (#{name})" unless @__algorithm
      @bytes = ""
    end

    def update(bytes)
      @bytes += bytes
      self
    end
    alias << update

    def digest(bytes = @bytes)
      LogStash.__digest(@__algorithm, nil, bytes)
    end

    def hexdigest(bytes = @bytes)
      digest(bytes).unpack1("H*")
    end

    def self.hexdigest(*name, bytes)
      new(*name).hexdigest(bytes)
    end

    def self.digest(*name, bytes)
      new(*name).digest(bytes)
    end

    %w[MD5 SHA1 SHA256 SHA384 SHA512].each do |name|
      kind = Class.new(self)
      kind.const_set(:NAME, name)
      const_set(name.to_sym, kind)
    end
  end

  class HMAC
    def self.digest(algorithm, key, bytes)
      algorithm = Digest.new(algorithm) unless algorithm.is_a?(Digest)
      LogStash.__digest(algorithm.__algorithm, key.to_s, bytes.to_s)
    end

    def self.hexdigest(algorithm, key, bytes)
      digest(algorithm, key, bytes).unpack1("H*")
    end

    def self.base64digest(algorithm, key, bytes)
      [digest(algorithm, key, bytes)].pack("m0")
    end
  end
end
