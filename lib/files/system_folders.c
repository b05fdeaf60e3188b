/* The list. Names in lower case; wildcards as in files/wildcard.h. */
#include "files/system_folders.h"

#include "files/wildcard.h"

#include <stddef.h>

static const char *const names[] = {
	/* what was deleted */
	"#recycle",
	"@recycle",
	".recycle",
	"$recycle.bin",
	"recycler",
	"recycled",
	"trashbox",
	".trash",
	".trash-*",
	".trashes",
	"network trash folder",
	".afpdeleted*",
	/* snapshots */
	"#snapshot",
	"@snapshot",
	"~snapshot",
	"@recently-snapshot",
	".snapshot",
	".snapshots",
	".zfs",
	".mobilebackups",
	/* previews and what programs keep beside files */
	"@eadir",
	".@__thumb",
	".@upload_cache",
	"@tmp",
	"@sharebin",
	".thumbnails",
	"__macosx",
	".appledouble",
	".appledb",
	".appledesktop",
	"temporary items",
	".temporaryitems",
	/* of file systems */
	"system volume information",
	"lost+found",
	"lost.dir",
	"found.[0-9][0-9][0-9]",
	".fseventsd",
	".spotlight-v100",
	".documentrevisions-v100",
};

bool ims_is_system_folder(const char *name)
{
	char lower[64];
	size_t n = 0;
	for (; name[n] && n + 1 < sizeof lower; n++)
		lower[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] - 'A' + 'a') : name[n];
	lower[n] = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (ims_wildcard_matches(names[i], lower, 0))
			return true;
	return false;
}
