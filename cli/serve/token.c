#include "cli/serve/token.h"

#include "cli/base/message.h"
#include "cli/base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RANDOM_BYTES = 20, SHORTEST = 16 };

char *token_read(const char *path)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
								  "0123456789-._~+/=";
	char line[512] = "";
	FILE *f = fopen(path, "re");
	if (!f || !fgets(line, sizeof line, f)) {
		cli_fail("%s: the token cannot be read", path);
	} else {
		line[strcspn(line, "\r\n")] = 0;
		if (strlen(line) < SHORTEST || strspn(line, letters) != strlen(line)) {
			cli_fail("%s: a token of at least %d letters and digits is needed; make one with: "
					 "openssl rand -hex 16 > %s",
				path, SHORTEST, path);
			*line = 0;
		}
	}
	if (f)
		fclose(f);
	return *line ? strdup(line) : NULL;
}

/* The file appears whole: another server may read or make it at the same time. */
static bool make(const char *path)
{
	unsigned char bytes[RANDOM_BYTES];
	char text[2 * RANDOM_BYTES + 2], part[4096];
	snprintf(part, sizeof part, "%s.%ld", path, (long)getpid());
	unlink(part);
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes;
	for (size_t i = 0; ok && i < sizeof bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[2 * RANDOM_BYTES] = '\n';
	ok = ok && write(fd, text, 2 * RANDOM_BYTES + 1) == 2 * RANDOM_BYTES + 1;
	if (fd >= 0 && close(fd))
		ok = false;
	ok = ok && (!link(part, path) || errno == EEXIST);
	int why = errno;
	unlink(part);
	errno = why;
	return ok;
}

char *token_of_user(char **path)
{
	struct stat st;
	*path = path_in_state("token");
	if (!*path)
		return cli_fail("there is no home folder to keep a token in: name one by --token-file, or "
						"say --no-token"),
			   NULL;
	if (access(*path, F_OK) && !make(*path))
		return cli_fail("%s: the token cannot be kept: %s; name one by --token-file, or say "
						"--no-token",
				   *path, strerror(errno)),
			   NULL;
	if (!stat(*path, &st) && (st.st_mode & 077))
		return cli_fail("%s: others may read this token; delete the file, and the next start makes "
						"a new one",
				   *path),
			   NULL;
	return token_read(*path);
}
