#include "base/library.h"

#include <dlfcn.h>

static bool find_all(void *library, const library_function *functions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!(*functions[i].at = dlsym(library, functions[i].name)))
			return false;
	return true;
}

bool ims_library_load(const char *const *files, const library_function *functions, size_t n)
{
	for (; *files; files++) {
		void *library = dlopen(*files, RTLD_NOW | RTLD_LOCAL);
		if (library && find_all(library, functions, n))
			return true;
		if (library)
			dlclose(library);
	}
	for (size_t i = 0; i < n; i++)
		*functions[i].at = NULL;
	return false;
}
