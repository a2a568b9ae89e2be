# SPDX-License-Identifier: Apache-2.0
#
# In Ruby $~ and $1 belong to the method that searched; in mruby they are global. The methods here search on their own, and
# must not take a script's last match away.

module LogStash
  def self.__keep_match(target, *names)
    names.each do |name|
      inner = "__searching_#{name}".to_sym
      target.__send__(:alias_method, inner, name)
      target.__send__(:define_method, name) do |*arguments, &block|
        saved = $~
        begin
          __send__(inner, *arguments, &block)
        ensure
          LogStash.__restore_match(saved)
        end
      end
    end
  end

  __keep_match(Time.singleton_class, :parse, :strptime, :iso8601, :__offset)
  __keep_match(DateTime.singleton_class, :__parse, :__strptime)
  __keep_match(IPAddr, :initialize, :include?)
  __keep_match(URI.singleton_class, :parse, :join, :extract, :__unescape, :decode_www_form_component)
  __keep_match(CGI.singleton_class, :unescape, :unescapeHTML, :escapeHTML, :parse)
  __keep_match(Base64.singleton_class, :strict_decode64)
  __keep_match(File.singleton_class, :dirname, :join)
  __keep_match(String, :oct, :hex)
end
