#!/bin/sh
# The page in a real browser: headless Chromium drives it, see page.mjs. $AXE_CORE, or node_modules
# of the project, may hold axe-core (npm install --no-save axe-core), which then checks
# accessibility.
cd "$(dirname "$0")/../.." || exit 1
for program in node chromium chromedriver; do
	command -v $program >/dev/null && continue
	echo "1..0 # SKIP $program is missing (apt-get install nodejs chromium chromium-driver)"
	exit 0
done
B=$(cd "${B:-build}" && pwd) || exit 1
export B
exec timeout 300 node tests/serve/page.mjs
