#!/bin/sh
# @NAME@ @VERSION@ in one file: this header, the program, and the Deno that runs it, both gzipped.
# A first start unpacks them into a private cache under their SHA-256; every start then becomes that
# Deno, in this process and with exactly the permissions at the end of this header.
# It needs a POSIX system with gzip and sha256sum (or shasum): no PATH, no Deno, no network.
set -eu
umask 077

fail() {
  printf '%s: error: %s\n' '@NAME@' "$1" >&2
  [ $# -lt 2 ] || printf '%s: hint: %s\n' '@NAME@' "$2" >&2
  exit 1
}

# The cache is the first of these directories that can be made.
open_cache() {
  if [ -n "${BETANET_CACHE-}" ]; then
    make_cache "$BETANET_CACHE" || fail "Cannot use BETANET_CACHE, want an absolute path to a directory that can be made"
    return
  fi
  [ -z "${XDG_CACHE_HOME-}" ] || ! make_cache "$XDG_CACHE_HOME/betanet" || return 0
  [ -z "${HOME-}" ] || ! make_cache "$HOME/.cache/betanet" || return 0
  make_cache "${TMPDIR:-/tmp}/betanet-$user" || fail "Cannot make a cache directory" "Set BETANET_CACHE to one."
}

make_cache() {
  case $1 in
    /*) ;;
    *) return 1 ;;
  esac
  command -p mkdir -p -- "$1" 2>/dev/null || return 1
  [ ! -L "$1" ] || fail "Refusing the cache $1: it is a symbolic link"
  cache=$(cd -P -- "$1" && pwd -P) || return 1
  [ -w "$cache" ] || return 1
}

# Nobody but this user and root may change the cache, or put another in its place by renaming a directory above it.
check_cache() {
  check_owner_and_mode 'none' "$cache"
  above=$cache
  set --
  while [ "$above" != / ]; do
    above=${above%/*}
    above=${above:-/}
    set -- "$@" "$above"
  done
  check_owner_and_mode 'd????????[tT]*' "$@"
}

# $1 is a pattern of modes that are safe although others may write: sticky directories.
check_owner_and_mode() {
  sticky=$1
  shift
  while read -r mode _ owner _; do
    case $mode in
      d????-??-?* | $sticky) ;;
      *) fail "Refusing the cache $cache: others may write to it or above it" "Set BETANET_CACHE to a private directory." ;;
    esac
    [ "$owner" = "$user" ] || [ "$owner" = 0 ] ||
      fail "Refusing the cache $cache: it or a directory above it belongs to somebody else" "Set BETANET_CACHE to a private directory."
  done <<LIST
$(command -p ls -ldn -- "$@")
LIST
}

sha256() {
  hash=$(command -p sha256sum <"$1" 2>/dev/null) || hash=$(command -p shasum -a 256 <"$1") || return 1
  printf '%s' "${hash%% *}"
}

# Unpacks stdin as $cache/$1, whose SHA-256 is $2.
unpack() {
  part=$(command -p mktemp "$cache/.unpack.XXXXXX") || fail "Cannot write to the cache $cache"
  trap 'command -p rm -f -- "$part"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  command -p gzip -dc >"$part" || fail "Cannot unpack into the cache $cache"
  [ "$(sha256 "$part")" = "$2" ] || fail "This file is damaged: the SHA-256 of $1 does not match"
  command -p chmod 500 "$part"
  command -p mv -f -- "$part" "$cache/$1"
  trap - EXIT INT TERM
}

# The program is hashed at every start; Deno, which takes longer, only if it changed since it was last hashed.
program_is_intact() {
  [ -f "$program" ] && [ "$(sha256 "$program")" = @PROGRAM_SHA256@ ]
}

deno_is_intact() {
  [ -f "$deno" ] && [ "$(($(command -p wc -c <"$deno")))" = @DENO_BYTES@ ] || return 1
  [ -f "$deno.hashed" ] && [ ! "$deno" -nt "$deno.hashed" ] && return 0
  [ "$(sha256 "$deno")" = @DENO_SHA256@ ] || return 1
  : >"$deno.hashed"
}

user=$(command -p id -u)
open_cache
check_cache
program=$cache/@NAME@-@PROGRAM_SHA256@.js
deno=$cache/deno-@DENO_SHA256@
if ! program_is_intact; then
  command -p tail -c +@PROGRAM_OFFSET@ -- "$0" | command -p head -c @PROGRAM_GZIP_BYTES@ |
    unpack "${program##*/}" @PROGRAM_SHA256@ || exit
fi
if ! deno_is_intact; then
  command -p tail -c +@DENO_OFFSET@ -- "$0" | unpack "${deno##*/}" @DENO_SHA256@ || exit
  : >"$deno.hashed"
fi
[ -x "$deno" ] || fail "Cannot execute files in the cache $cache" "Set BETANET_CACHE to a directory of a file system that is not mounted noexec."

export DENO_DIR="$cache/deno_dir" DENO_NO_UPDATE_CHECK=1
exec "$deno" run @FLAGS@ "$program" "$@"
exit 1
