#ifndef IMS_COLLECTION_MAP_H
#define IMS_COLLECTION_MAP_H

#include "base/base.h"

int ims_map(imgsearch *s, const imgsearch_map_options *o, job *job, imgsearch_map_points **out, imgsearch_error *err);
int ims_map_grid(const imgsearch_map_points *points, uint32_t columns, uint32_t rows, uint32_t *cell, imgsearch_error *err);

#endif
