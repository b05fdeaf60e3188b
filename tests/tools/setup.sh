#!/bin/sh
# usage: setup.sh NEEDED... -- WANTED...
#
# Installs the Debian packages among them that are missing; says nothing when none is. Without the
# needed ones nothing can be built: their absence is an error. Without the wanted ones something is
# left out, which is said where it is. On a system without apt-get: lists what is needed.

missing() {
	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null |
			grep -q '^installed$' || echo "$package"
	done
}

needed= wanted= seen=
for package; do
	if [ "$package" = -- ]; then
		seen=1
	elif [ "$seen" ]; then
		wanted="$wanted $package"
	else
		needed="$needed $package"
	fi
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "This is not a Debian system: please see to it that these (Debian's names) are there." >&2
	echo "needed:$needed" >&2
	echo "wanted:$wanted" >&2
	exit 0
fi

absent=$(missing $needed $wanted)
[ -n "$absent" ] || exit 0
as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
	if ! command -v sudo >/dev/null; then
		echo "setup: not root, and there is no sudo; to be installed:" $absent >&2
		as_root=false
	fi
fi
echo "setup: installing" $absent >&2
install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
if ! $as_root $install $absent; then
	# Lists may be old, or one wanted package may not exist here: then one by one.
	$as_root apt-get update
	$as_root $install $absent || for package in $absent; do $as_root $install "$package"; done
fi

absent=$(missing $wanted)
[ -z "$absent" ] || echo "setup: could not be installed, done without:" $absent >&2
absent=$(missing $needed)
[ -z "$absent" ] && exit 0
echo "setup: needed, and could not be installed:" $absent >&2
exit 1
