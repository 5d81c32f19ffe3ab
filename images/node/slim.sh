#!/bin/sh
# Makes a Debian root small and hands its missing commands to busybox. Runs once, at build time.
# The copyright files and the package list stay: licences ask for the first, scanners for the second.
set -eu

find /usr/share/doc -mindepth 1 -type f ! -name copyright -delete
find /usr/share/doc -type l -delete
find /usr/share/doc -depth -type d -empty -delete
rm -rf /usr/share/man /usr/share/info /usr/share/locale /usr/share/i18n /usr/share/zoneinfo /usr/share/lintian \
  /usr/share/bash-completion /usr/share/common-licenses/GFDL* /usr/share/perl /usr/share/perl5 /usr/share/python3 \
  /usr/share/gcc /usr/share/gdb /usr/share/debconf /usr/share/dpkg /usr/share/bug /usr/share/menu

# Package tools and interpreters: nothing is installed here once the image is made.
rm -rf /usr/lib/apt /usr/bin/apt* /usr/bin/perl* /usr/bin/dpkg* /usr/bin/deb* /usr/sbin/dpkg* /usr/sbin/update-* \
  /usr/lib/dpkg /usr/lib/python3* /usr/lib/systemd /usr/lib/udev /usr/lib/valgrind \
  /usr/lib/*/perl /usr/lib/*/perl-base /usr/lib/*/perl5 /usr/lib/*/gconv /usr/lib/*/libapt-* /usr/lib/*/libperl.so* \
  /var/lib/apt /var/cache/apt /var/cache/debconf /var/lib/systemd /var/lib/dpkg/info /var/log/* /etc/apt /etc/dpkg
mkdir -p /var/log /var/tmp
chmod 1777 /var/tmp

for applet in $(/bin/busybox --list); do
  command -v "$applet" >/dev/null 2>&1 || ln -s /bin/busybox "/usr/local/bin/$applet"
done
for tool in nft unbound unbound-control unbound-checkconf ip conntrack busybox; do
  command -v "$tool" >/dev/null || { echo "the node image lacks $tool" >&2; exit 1; }
done
