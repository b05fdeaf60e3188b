/* The shortest program: index the folder photos, find what is most like query.jpg. */
#include <imgsearch.h>
#include <stdio.h>

int main(void)
{
	imgsearch *s;
	imgsearch_error err;
	if (imgsearch_open("photos.db", NULL, NULL, &s, &err))
		return puts(err.message), 1;
	const char *folders[] = { "photos" };
	if (imgsearch_index_update(s, folders, 1, NULL, NULL, NULL, &err))
		return puts(err.message), 1;
	imgsearch_input in = imgsearch_input_file("query.jpg");
	imgsearch_hits *hits;
	if (imgsearch_query(s, &in, 1, NULL, NULL, &hits, &err))
		return puts(err.message), 1;
	for (size_t i = 0; i < hits->count; i++)
		printf("%.3f %s\n", hits->items[i]->score, hits->items[i]->path);
	imgsearch_hits_free(hits);
	imgsearch_close(s);
}
