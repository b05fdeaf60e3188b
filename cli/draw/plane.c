/* The script plane.js, compiled in. */
#include "cli/draw/plane.h"

#include "cli/base/embed.h"

EMBED(plane_js, "cli/draw/plane.js");
