#!/usr/bin/env bash
# Makes sure the programs that are no Python packages are here: installs them when root on a Debian
# system, otherwise prints the exact command.
#
#   deploy/system.sh [run|test]   run: a JDK and Maven for the embedded Kafka (not needed when
#                                 EXCHANGE_KAFKA names another cluster); Pango and a Chinese font
#                                 for reports as PDF, which are wished for; test: PostgreSQL and
#                                 Go as well
#
# Exit 0: all there, or only wished for; 3: something needed is missing and could not be installed.
set -euo pipefail

purpose=${1:-run}
packages=()

# Kafka 4 needs Java 17 or newer.
java_major() { java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1; }
if [ -z "${EXCHANGE_KAFKA:-}" ] || [ "$purpose" = test ]; then
  major=$(java_major || true)
  [ "${major:-0}" -ge 17 ] || packages+=(default-jdk-headless)
  command -v mvn >/dev/null || packages+=(maven)
fi
# WeasyPrint opens these by name; any font that covers Chinese will do.
has_library() { compgen -G "/usr/lib/*/$1" >/dev/null || compgen -G "/usr/lib*/$1" >/dev/null; }
wished=()
has_library 'libpango-1.0.so.0' || wished+=(libpango-1.0-0)
has_library 'libpangoft2-1.0.so.0' || wished+=(libpangoft2-1.0-0)
has_library 'libharfbuzz-subset.so.0' || wished+=(libharfbuzz-subset0)
has_chinese_font() {
  if command -v fc-list >/dev/null; then [ -n "$(fc-list :lang=zh-cn family)" ]; else
    find /usr/share/fonts -iname '*wqy*' -o -iname '*cjk*' 2>/dev/null | grep -q .; fi
}
has_chinese_font || wished+=(fonts-wqy-microhei)
if [ "$purpose" = test ]; then
  # Debian keeps the server's programs out of PATH.
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null ||
    packages+=(postgresql)
  # tests/interop: the published log as a verifier in Go sees it.
  command -v go >/dev/null || [ -x /usr/local/go/bin/go ] || packages+=(golang-go)
fi
needed=${#packages[@]}
packages+=("${wished[@]}")
[ ${#packages[@]} -gt 0 ] || exit 0

install="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  printf '\033[1m==>\033[0m Installing Debian packages: %s\n' "${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=120 update -q
  apt-get -o DPkg::Lock::Timeout=120 install -q -y --no-install-recommends "${packages[@]}" &&
    exit 0
  echo "The packages could not be installed; see apt's message above. 软件包安装失败，请看上面的提示。" >&2
  [ "$needed" -gt 0 ] || exit 0
  exit 3
fi
echo "Missing: ${packages[*]}. Install with / 缺少软件包，请执行：" >&2
if command -v apt-get >/dev/null; then
  echo "    sudo sh -c '$install'" >&2
else
  echo "    (your system's packages for a JDK 17 or newer, Maven, PostgreSQL, Go, Pango and a" \
    "font for Chinese)" >&2
fi
[ "$needed" -gt 0 ] || exit 0
exit 3
