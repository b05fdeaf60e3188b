/* Sorted lists, and sorting. */
#include "search/graph/list.h"

#include <string.h>

int ims_graph_list_room(graph_list *l, size_t room)
{
	if (room > l->cap) {
		graph_item *item = ims_realloc(l->item, room, sizeof *item);
		if (!item)
			return -1;
		l->item = item;
		l->cap = room;
	}
	l->room = room;
	l->n = l->next = 0;
	return 0;
}

void ims_graph_list_push(graph_list *l, graph_item item)
{
	size_t low = 0;
	if (l->n == l->room && (!l->n || item >= l->item[l->n - 1]))
		return;
	/* binary search without branches, which could not be predicted */
	for (size_t left = l->n; left; left -= (left + 1) / 2)
		low += (l->item[low + left / 2] < item) * ((left + 1) / 2);
	if (l->n < l->room)
		l->n++;
	memmove(l->item + low + 1, l->item + low, (l->n - 1 - low) * sizeof item);
	l->item[low] = item;
	if (low < l->next)
		l->next = low;
}

void ims_graph_sort(graph_item *a, size_t n)
{
	while (n > 16) {
		graph_item pivot = a[n / 2], t;
		size_t i = 0, j = n - 1;
		for (;; i++, j--) {
			while (a[i] < pivot)
				i++;
			while (pivot < a[j])
				j--;
			if (i >= j)
				break;
			t = a[i], a[i] = a[j], a[j] = t;
		}
		if (i < n - i) {
			ims_graph_sort(a, i);
			a += i, n -= i;
		} else {
			ims_graph_sort(a + i, n - i);
			n = i;
		}
	}
	for (size_t i = 1; i < n; i++) {
		graph_item v = a[i];
		size_t j = i;
		for (; j && a[j - 1] > v; j--)
			a[j] = a[j - 1];
		a[j] = v;
	}
}
