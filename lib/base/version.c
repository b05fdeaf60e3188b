/* The version, from the numbers of imgsearch.h. */
#include "imgsearch.h"

#define STRING(x) #x
#define VERSION(major, minor, patch) STRING(major) "." STRING(minor) "." STRING(patch)

int imgsearch_version_number(void)
{
	return IMGSEARCH_VERSION_NUMBER;
}

const char *imgsearch_version_text(void)
{
	return VERSION(IMGSEARCH_VERSION_MAJOR, IMGSEARCH_VERSION_MINOR, IMGSEARCH_VERSION_PATCH);
}
