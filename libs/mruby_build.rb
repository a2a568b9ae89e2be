# SPDX-License-Identifier: Apache-2.0
#
# Which parts of mruby are built, and how. What waits, reads or writes outside (IO, File, Socket, sleep, exit) is left out:
# script/prelude/ says what a pipeline may do.
GEMS = %w[
  array-ext bigint catch class-ext compar-ext compiler complex data enum-chain enum-ext enum-lazy enumerator error eval
  fiber hash-ext kernel-ext math metaprog method numeric-ext object-ext pack proc-ext random range-ext rational sprintf
  string-ext struct symbol-ext toplevel-ext
]

MRuby::Build.new do |conf|
  conf.toolchain :gcc
  conf.cc.command = 'ccache gcc' if system('command -v ccache >/dev/null')
  conf.cc.flags = %w[-std=gnu99 -O2 -g -fPIC -fvisibility=hidden -ffunction-sections -fstack-protector-strong
                     -D_FORTIFY_SOURCE=2 -Wall]
  GEMS.each { |name| conf.gem core: "mruby-#{name}" }
end
