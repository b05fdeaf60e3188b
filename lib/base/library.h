/*
 * Optional shared libraries, loaded when they are first needed and never closed. A machine without
 * one works without what it does.
 */
#ifndef IMS_BASE_LIBRARY_H
#define IMS_BASE_LIBRARY_H

#include "base/base.h"

typedef struct library_function {
	const char *name;
	void **at; /* receives its address */
} library_function;

/*
 * Loads the first of the file names, which end with NULL, that has all functions. Its symbols stay
 * hidden from the program (RTLD_LOCAL). Whether one was found; else every *at is NULL. Callers load
 * a library once, below pthread_once.
 */
bool ims_library_load(const char *const *files, const library_function *functions, size_t n);

/*
 * Names a library in the ELF note that packagers read (uapi-group.org, ELF dlopen metadata), at
 * file scope: IMS_LIBRARY_NOTE("liblcms2.so.2", "colour profiles").
 */
#define IMS_LIBRARY_NOTE(files, purpose) IMS_LIBRARY_NOTE_(files, purpose, __COUNTER__)
#define IMS_LIBRARY_NOTE_(files, purpose, n) IMS_LIBRARY_NOTE__(files, purpose, n)
#define IMS_LIBRARY_NOTE__(files, purpose, n) \
	__attribute__((used, retain, section(".note.dlopen"))) static const struct { \
		uint32_t name_size, text_size, type; \
		char name[4]; \
		_Alignas(4) char text[sizeof "[{\"soname\":[\"" files "\"],\"description\":\"" purpose \
									 "\",\"priority\":\"suggested\"}]"]; \
	} library_note_##n = { 4, sizeof library_note_##n.text, 0x407c0c0a, "FDO", \
		"[{\"soname\":[\"" files "\"],\"description\":\"" purpose \
		"\",\"priority\":\"suggested\"}]" }

#endif
