/*
 * A locale whose decimal point is a comma, made by the test where the system has none. It lasts as
 * long as the folder `dir`.
 */
#ifndef IMS_TEST_GERMAN_H
#define IMS_TEST_GERMAN_H

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Makes NAME (de_DE) known to setlocale, as NAME.UTF-8. */
static inline bool locale_make(const char *dir, const char *name)
{
	char command[600];
	snprintf(command, sizeof command,
		"mkdir -p '%s/locales' && localedef -i %s -f UTF-8 '%s/locales/%s.UTF-8' 2>/dev/null", dir,
		name, dir, name);
	if (system(command))
		return false;
	snprintf(command, sizeof command, "%s/locales", dir);
	return !setenv("LOCPATH", command, 1);
}

/* Makes the program German; false: there is no such locale, and none can be made. */
static inline bool speak_german(const char *dir)
{
	char text[8];
	if (!setlocale(LC_ALL, "de_DE.UTF-8")
		&& !(locale_make(dir, "de_DE") && setlocale(LC_ALL, "de_DE.UTF-8")))
		return false;
	snprintf(text, sizeof text, "%.1f", 1.5);
	return text[1] == ',';
}

#endif
