/* The shortest program: index the folder photos, find what is most like query.jpg. */
#include <imgsearch.h>
#include <stdio.h>

int main(void)
{
	imgsearch *s;
	imgsearch_error err;
	if (imgsearch_open(&s, "photos.db", NULL, &err))
		return puts(err.message), 1;
	const char *dirs[] = { "photos" };
	imgsearch_index_update(s, dirs, 1, NULL, NULL, &err);
	imgsearch_input in = imgsearch_input_file("query.jpg");
	imgsearch_hits *hits;
	if (imgsearch_query(s, &in, 1, NULL, &hits, &err) == 0)
		for (size_t i = 0; i < hits->count; i++)
			printf("%.3f %s\n", hits->hit[i].score, hits->hit[i].path);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}
