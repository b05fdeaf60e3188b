/* Just enough of .npy for benches: maps a C-ordered 2-D file of f4 or i8, writes one of i8. */
#ifndef BENCH_NPY_H
#define BENCH_NPY_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct npy {
	const void *data;
	size_t rows, columns;
} npy;

static inline npy npy_open(const char *path)
{
	npy a = { NULL, 0, 0 };
	struct stat st;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st)) {
		perror(path);
		exit(1);
	}
	const char *map = (const char *)mmap(NULL, (size_t)st.st_size, PROT_READ,
		MAP_SHARED | MAP_POPULATE, fd, 0);
	close(fd);
	const char *shape = map == MAP_FAILED ? NULL : strstr(map + 10, "'shape': (");
	if (!shape || sscanf(shape + 10, "%zu, %zu", &a.rows, &a.columns) != 2) {
		fprintf(stderr, "%s: not a two-dimensional .npy file\n", path);
		exit(1);
	}
	a.data = map + 10 + (uint8_t)map[8] + 256 * (uint8_t)map[9];
	return a;
}

static inline int npy_save_ids(const char *path, const int64_t *ids, size_t n, size_t columns)
{
	char head[129] = "\x93NUMPY\x01";
	FILE *f = fopen(path, "wb");
	head[8] = 118;
	int used = snprintf(head + 10, 118,
		"{'descr': '<i8', 'fortran_order': False, 'shape': (%zu, %zu), }", n, columns);
	memset(head + 10 + used, ' ', (size_t)(117 - used));
	head[127] = '\n';
	int failed = !f || fwrite(head, 128, 1, f) != 1
		|| fwrite(ids, sizeof(*ids), n * columns, f) != n * columns;
	return f && fclose(f) ? 1 : failed;
}

#endif
