/* Text from outside, such as file names: it may be invalid UTF-8 or have control characters. */
#ifndef IMGSEARCH_CLI_TEXT_H
#define IMGSEARCH_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The number of bytes of the UTF-8 character at s, and its code point in *code; 0: invalid. */
size_t text_char(const char *s, uint32_t *code);

/* Whether a terminal would move its cursor, change its colours or turn the writing direction. */
bool text_is_control(uint32_t code);

/*
 * A copy of the path of an index as people may see it: without the password that stands in the
 * address of a server. NULL: out of memory.
 */
char *text_without_password(const char *path);

/* As a word of a shell's command line, quoted where it must be; free. NULL: out of memory. */
char *text_shell_word(const char *text);

/* Control characters and bytes that are no UTF-8 are written as \n, \x1b and so on. */
void text_write_escaped(FILE *f, const char *text);

/* A number of bytes for people: "12 kB", "3.4 MB". */
enum { TEXT_SIZE = 24 };
const char *text_size(char out[TEXT_SIZE], uint64_t bytes);

#endif
