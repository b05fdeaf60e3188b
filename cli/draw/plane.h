/*
 * The script plane.js, compiled in: the server's page and the page of `imgsearch map` both use it.
 */
#ifndef IMGSEARCH_CLI_PLANE_H
#define IMGSEARCH_CLI_PLANE_H

extern const char plane_js[], plane_js_end[]; /* a NUL stands at the end */

#endif
