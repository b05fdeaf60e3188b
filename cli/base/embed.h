/* Files that are compiled in. Their paths begin at the top of the source tree. */
#ifndef IMGSEARCH_CLI_EMBED_H
#define IMGSEARCH_CLI_EMBED_H

/* Defines name (the file's bytes, then a NUL) and name_end (one past the last byte, at the NUL). */
#define EMBED(name, path) \
	__asm__(".section .rodata\n" \
		".global " #name "\n.hidden " #name "\n" #name ":\n.incbin \"" path "\"\n" \
		".global " #name "_end\n.hidden " #name "_end\n" #name "_end:\n.byte 0\n.previous\n"); \
	extern const char name[], name##_end[]

#endif
