/* Folders in which systems keep what is no picture of the user's. docs/folders.md has the list. */
#ifndef IMS_FILES_SYSTEM_FOLDERS_H
#define IMS_FILES_SYSTEM_FOLDERS_H

#include <stdbool.h>

/* Whether a folder of this name is one, whatever the case of its letters (ASCII). Any thread. */
bool ims_is_system_folder(const char *name);

#endif
