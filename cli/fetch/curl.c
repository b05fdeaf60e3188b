/* Loads libcurl, with OpenSSL or with GnuTLS. */
#include "cli/fetch/curl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static curl_functions functions;

static const struct {
	const char *name;
	size_t at;
} wanted[] = {
	{ "curl_easy_init", offsetof(curl_functions, init) },
	{ "curl_easy_cleanup", offsetof(curl_functions, cleanup) },
	{ "curl_easy_setopt", offsetof(curl_functions, setopt) },
	{ "curl_easy_perform", offsetof(curl_functions, perform) },
	{ "curl_easy_strerror", offsetof(curl_functions, strerror) },
	{ "curl_slist_append", offsetof(curl_functions, slist_append) },
	{ "curl_slist_free_all", offsetof(curl_functions, slist_free) },
	{ "curl_global_init", offsetof(curl_functions, global_init) },
};

static bool load(const char *file)
{
	enum { GLOBAL_ALL = 3 };
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; library && i < sizeof wanted / sizeof *wanted; i++) {
		void *address = dlsym(library, wanted[i].name);
		if (!address)
			return false;
		memcpy((char *)&functions + wanted[i].at, &address, sizeof address);
	}
	return library && functions.global_init(GLOBAL_ALL) == 0;
}

const curl_functions *curl_load(void)
{
	static const char *const files[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		if (load(files[i]))
			return &functions;
	return NULL;
}
