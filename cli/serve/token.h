/*
 * The token that requests over TCP must carry: at least 16 letters and digits. Functions return it
 * malloc'd, or NULL with the reason printed.
 */
#ifndef IMGSEARCH_CLI_TOKEN_H
#define IMGSEARCH_CLI_TOKEN_H

/* The first line of a file. */
char *token_read(const char *path);

/*
 * The token of this user: that of the file imgsearch/token in the XDG state folder, which is made
 * where it is missing, random and for this user alone. *path receives its path, malloc'd.
 */
char *token_of_user(char **path);

#endif
