# fish completion for imgsearch; written by: imgsearch complete fish
complete -c imgsearch -n __fish_use_subcommand -f -a 'index query info list failed rm readmit backup copy export build extract model root shard vectors eval check dups map train serve help complete'
complete -c imgsearch -n '__fish_seen_subcommand_from model' -f -a 'list info pull add verify rm switch drop'
complete -c imgsearch -n '__fish_seen_subcommand_from root' -f -a 'mv'
complete -c imgsearch -n '__fish_seen_subcommand_from shard' -f -a 'list add move'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors' -f -a 'import export'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l exclude -s x -d 'leave out what matches, now and in later runs (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l no-exclude -d 'forget the patterns of --exclude of earlier runs'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l include -s i -d 'index only files that match, now and in later runs (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l no-include -d 'forget the patterns of --include of earlier runs'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l no-default-excludes -d 'for this run alone: take in system folders, such as #recycle, unless they are hidden'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l follow-links -s L -d 'follow symbolic links, now and in later runs'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l no-follow-links -d 'follow them no longer'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l formats -d 'also read formats that are off by default, now and in later runs: +tiff,+video; no longer: -tiff,-video' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l video -d 'the same as --formats +video'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l add-model -d 'keep the vectors of a second model beside those of the index, from now on: imgsearch query --model NAME asks by it' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l prune -d 'let this run remove more than 30 % of a folder\'s pictures'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l flip -d 'average each feature with that of the mirrored picture: better results for twice the work of the network; stored in the index'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l regions -d 'also keep features of parts of pictures, now and in later runs, so that a small crop finds its picture: a run takes four to eight times as long'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l no-regions -d 'drop them, and keep none any more'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l retry -d 'try damaged, unsupported and too big files again, even if they did not change'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l partial -d 'take what is there of damaged pictures, and mark them (shards must all be there)'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l reread -d 'read every file and compare its bytes, even if size and times did not change'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l csv -d 'attach the columns of this CSV (UTF-8, with a header row)' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l key -d 'column with the file name or path (default: file)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l title -d 'column that is shown with results (default: title)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l no-server -d 'do not use a running imgsearch serve'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l no-build -d 'do not build the searcher afterwards'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l model -s m -d 'model or network by name (see imgsearch model list), or weights with a card; of an index with two models: by which of them' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l weights -s w -d 'its weights: .pth, .safetensors, or TorchScript .pt, a program that runs: only from people you trust' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l device -d 'where the network runs: auto, cpu, cuda, cuda:1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l precision -d 'precision of the network (auto: bf16 where the CPU has it)' -x -a 'auto f32 bf16'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l resize -d 'short side after the resize (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l crop -d 'side of the centre crop (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l squash -d 'resize both sides to the crop, whatever the aspect; cut nothing off'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l crops -d '5: average the features of the centre and the four corners' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l pooling -d 'how the network\'s maps or tokens become one feature (default: its own)' -x -a 'default mean max gem class'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l mean -d 'mean to subtract from values in 0..1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l std -d 'standard deviation to divide by after that' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l interpolation -d 'interpolation of the resize' -x -a 'default bilinear bicubic'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l full-decode -d 'decode JPEGs at full size: slower, exactly the reference transform'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l max-megapixels -d 'larger pictures are "too big"' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l max-memory -d 'what decoding may take, in all: 500M, 2G (default: a quarter of the memory)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l null -s 0 -d 'records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from index' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l k -s k -d 'how many pictures to show' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l min-score -d 'leave out pictures with a lower score' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l max-chance -d 'end the list where more than X pictures would score as high by chance' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l no-self -d 'leave out the query itself (with --combine: all its pictures) when it is in the index'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l under -s u -d 'only pictures below this folder' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l after -d 'only pictures taken at this date or later: 2024, 2024-05, 2024-05-03T14:05' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l before -d 'only pictures taken before this date' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l camera -d 'only pictures of a camera with this in its name' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l keyword -d 'only pictures with this keyword (may be repeated: with all of them)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l near -d 'only pictures taken within KM kilometres of this place' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l where -d 'only pictures for which this holds, such as "rating >= 4 and camera ~ \'canon\'" (~: contains; = is the whole text)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l crop -d 'search with this part of each picture, in pixels of the upright picture' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l combine -s c -d 'all pictures together are one query'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l text -d 'search for what a text says; with pictures or other texts they are one query (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l not -s n -d 'move the query away from the next picture or text'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l weight -d 'how much the next picture or text counts; 1 is usual, after --not 0.5' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l template -d 'the sentence that each text is put into, in the place of its {} (default: the model\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l paths -s p -d 'write paths alone, without score and title'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l html -d 'also write queries and results as a page with the pictures in it' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l sheet -d 'also write them as a contact sheet (PNG or JPEG)' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l preview -d 'show the pictures in the terminal'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l no-server -d 'do not use a running imgsearch serve'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l searcher -s s -d 'search with this searcher, not with the one that the index chose' -x -a 'exact kdtree pca graph pgvector scan'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l recall -d 'graph, pgvector: recall to aim at' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l ef -d 'graph, pgvector: width of the beam, instead of --recall' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l checks -d 'kdtree, pca: compare at most N rows' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l epsilon -d 'kdtree: distances within (1 + E) of the true ones' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l plain -d 'use the features as they are: no mean subtracted, no other improvement'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l whole -d 'compare whole pictures alone, where the index keeps features of their parts'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l expand -d 'query expansion: search again with the mean of the query and its first N results' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l expand-power -d 'with --expand: weight each result by its score to the power of A' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l reciprocal -d 're-rank the first 500 results by common k-reciprocal neighbours' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l views -d 'search with the mean feature of N views: the picture, its centre, its corners' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l vectors -d 'queries are the rows of this .npy, .fvecs or .fbin file' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l ids -d 'with --vectors: write ids (n, k) as int64, -1 where there are fewer' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l distances -d 'with --vectors: write distances (n, k) as f32, NaN where there are fewer' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l batch -d 'with --vectors: queries in a batch; 1: one by one' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l stats -d 'with --vectors: write times and memory as one JSON line'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l model -s m -d 'model or network by name (see imgsearch model list), or weights with a card; of an index with two models: by which of them' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l weights -s w -d 'its weights: .pth, .safetensors, or TorchScript .pt, a program that runs: only from people you trust' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l device -d 'where the network runs: auto, cpu, cuda, cuda:1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l precision -d 'precision of the network (auto: bf16 where the CPU has it)' -x -a 'auto f32 bf16'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l formats -d 'also read formats that are off by default: +tiff,+video' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l video -d 'the same as --formats +video'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l null -s 0 -d 'records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from query' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from info' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l state -d 'paths in this state (default: indexed, duplicate, link)' -x -a 'all indexed duplicate unsupported damaged too-big excluded unreadable kept-out link'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l paths -s p -d 'write paths alone'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l sort -d 'order by path (default), date, rating or id; pictures without a date or a rating come last' -x -a 'path date rating id'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l reverse -s r -d 'the other way round'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l limit -d 'show at most N' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l offset -d 'leave out the first N' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l after -d 'only pictures taken at this date or later: 2024, 2024-05, 2024-05-03T14:05' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l before -d 'only pictures taken before this date' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l camera -d 'only pictures of a camera with this in its name' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l keyword -d 'only pictures with this keyword (may be repeated: with all of them)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l near -d 'only pictures taken within KM kilometres of this place' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l where -d 'only pictures for which this holds, such as "rating >= 4 and camera ~ \'canon\'" (~: contains; = is the whole text)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l null -s 0 -d 'records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from list' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l paths -s p -d 'write paths alone'
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l null -s 0 -d 'records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without'
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from failed' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l keep-out -d 'keep them and their copies out for good: no imgsearch index takes them in again'
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l dry-run -d 'only show what would be removed'
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l null -s 0 -d 'records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without'
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from rm' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l null -s 0 -d 'records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without'
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from readmit' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l force -s f -d 'replace FILE where it exists'
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from backup' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from copy' -l restart -d 'drop what an incomplete copy has, and start over'
complete -c imgsearch -n '__fish_seen_subcommand_from copy' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from copy' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from copy' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from copy' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l compared -d 'write the vectors as queries compare them: the mean of all subtracted where the index does so, and of length 1 for cosine'
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l model -s m -d 'of an index with two models: use the vectors of this one' -x
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from export' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l searcher -s s -d 'searcher to build' -x -a 'auto exact kdtree pca graph pgvector'
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l variance -d 'pca: share of the variance that is kept' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l components -d 'pca, kdtree: number of components, instead of --variance' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l whiten -d 'pca: scale the components to equal variance'
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l degree -d 'graph: neighbours of a node' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l beam -d 'graph: width of the beam while building' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l seed -d 'seed of the random numbers' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l stats -d 'write time and size as one JSON line'
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l model -s m -d 'of an index with two models: use the vectors of this one' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from build' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l output -s o -d 'write the features here (.npy or .fvecs)' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l raw -d 'features as the network gives them, not normalised'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l text -d 'also a row for this text (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l template -d 'each text is within this one, in the place of its {}, not within the model\'s own' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l model -s m -d 'model or network by name (see imgsearch model list), or weights with a card; of an index with two models: by which of them' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l weights -s w -d 'its weights: .pth, .safetensors, or TorchScript .pt, a program that runs: only from people you trust' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l device -d 'where the network runs: auto, cpu, cuda, cuda:1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l precision -d 'precision of the network (auto: bf16 where the CPU has it)' -x -a 'auto f32 bf16'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l formats -d 'also read formats that are off by default: +tiff,+video' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l video -d 'the same as --formats +video'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l resize -d 'short side after the resize (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l crop -d 'side of the centre crop (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l squash -d 'resize both sides to the crop, whatever the aspect; cut nothing off'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l crops -d '5: average the features of the centre and the four corners' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l pooling -d 'how the network\'s maps or tokens become one feature (default: its own)' -x -a 'default mean max gem class'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l mean -d 'mean to subtract from values in 0..1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l std -d 'standard deviation to divide by after that' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l interpolation -d 'interpolation of the resize' -x -a 'default bilinear bicubic'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l full-decode -d 'decode JPEGs at full size: slower, exactly the reference transform'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l max-megapixels -d 'larger pictures are "too big"' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l max-memory -d 'what decoding may take, in all: 500M, 2G (default: a quarter of the memory)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from extract' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from list' -l all -s a -d 'every model and network, not only some to choose from and those that are here'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from list' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from list' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from list' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from list' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from info' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from info' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from info' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from info' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from pull' -l accept-licence -d 'accept a licence that restricts what the model may be used for'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from pull' -l from -d 'a mirror: what follows https:// in an address is looked for below URL' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from pull' -l timeout -d 'give up a server that sends nothing for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from pull' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from pull' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from pull' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l name -s n -d 'what the model is called from now on' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l network -d 'the network that the weights are for (see imgsearch model list --all)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l licence -d 'its licence, to be shown' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l good-at -d 'what it is good at, to be shown' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l force -s f -d 'replace a model of that name'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l resize -d 'short side after the resize (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l crop -d 'side of the centre crop (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l squash -d 'resize both sides to the crop, whatever the aspect; cut nothing off'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l crops -d '5: average the features of the centre and the four corners' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l pooling -d 'how the network\'s maps or tokens become one feature (default: its own)' -x -a 'default mean max gem class'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l mean -d 'mean to subtract from values in 0..1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l std -d 'standard deviation to divide by after that' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l interpolation -d 'interpolation of the resize' -x -a 'default bilinear bicubic'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from add' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from verify' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from verify' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from verify' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from verify' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from rm' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from rm' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from rm' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from switch' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from switch' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from switch' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from switch' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from switch' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from switch' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from drop' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from drop' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from drop' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from drop' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from drop' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from model; and __fish_seen_subcommand_from drop' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from mv' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from mv' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from mv' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from mv' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from mv' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from root; and __fish_seen_subcommand_from mv' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from list' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from add' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from add' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from add' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from add' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from add' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from add' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l from -d 'out of shard N, all of it (default: those that have most)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l to -d 'into shard N, until it has as many as the others, or --buckets (default: those that have least)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l buckets -d 'at most N of the 1024 parts' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from shard; and __fish_seen_subcommand_from move' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l ids -d 'ids of the rows, int64 (default: counted on from the largest id ever given, from 0 in a new index)' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l metric -d 'metric of a new index (default: cosine)' -x -a 'cosine l2 ip'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from import' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l ids -d 'write the ids here, int64' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l f16 -d 'write float16 (.npy only)'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l model -s m -d 'of an index with two models: use the vectors of this one' -x
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from vectors; and __fish_seen_subcommand_from export' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l queries -d 'use the pictures of this folder as queries, instead of those of the index' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l truth -d 'CSV of queries and their relevant pictures, instead of folders' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l text -d 'CSV of texts and their relevant pictures: the texts are the queries' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l template -d 'the sentence that each text is put into, in the place of its {} (default: the model\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l groups -d 'use groups of near-duplicates as classes, instead of folders'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l duplicates -d 'make altered copies of N pictures and search for their originals' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l sample -d 'use at most N queries, evenly spaced' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l threshold -d 'also print the F1 score at this threshold' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l plain -d 'use the features as they are: no mean subtracted, no other improvement'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l whiten -d 'measure on N principal components of equal variance (PCA whitening)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l under -s u -d 'only pictures below this folder' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l after -d 'only pictures taken at this date or later: 2024, 2024-05, 2024-05-03T14:05' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l before -d 'only pictures taken before this date' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l camera -d 'only pictures of a camera with this in its name' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l keyword -d 'only pictures with this keyword (may be repeated: with all of them)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l near -d 'only pictures taken within KM kilometres of this place' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l where -d 'only pictures for which this holds, such as "rating >= 4 and camera ~ \'canon\'" (~: contains; = is the whole text)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l expand -d 'query expansion: search again with the mean of the query and its first N results' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l expand-power -d 'with --expand: weight each result by its score to the power of A' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l reciprocal -d 're-rank the first 500 results by common k-reciprocal neighbours' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l views -d 'search with the mean feature of N views: the picture, its centre, its corners' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l seed -d 'seed of the random numbers' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l model -s m -d 'model or network by name (see imgsearch model list), or weights with a card; of an index with two models: by which of them' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l weights -s w -d 'its weights: .pth, .safetensors, or TorchScript .pt, a program that runs: only from people you trust' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l device -d 'where the network runs: auto, cpu, cuda, cuda:1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l precision -d 'precision of the network (auto: bf16 where the CPU has it)' -x -a 'auto f32 bf16'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l formats -d 'also read formats that are off by default: +tiff,+video' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l video -d 'the same as --formats +video'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from eval' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l recall -d 'also search for N stored vectors with every searcher and compare with a scan' -x
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from check' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l kind -d 'only this kind' -x -a 'bytes picture scene'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l min-score -d 'score from which two pictures show the same scene (default: scene_score of the model\'s card, else 0.92)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l under -s u -d 'only pictures below this folder' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l after -d 'only pictures taken at this date or later: 2024, 2024-05, 2024-05-03T14:05' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l before -d 'only pictures taken before this date' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l camera -d 'only pictures of a camera with this in its name' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l keyword -d 'only pictures with this keyword (may be repeated: with all of them)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l near -d 'only pictures taken within KM kilometres of this place' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l where -d 'only pictures for which this holds, such as "rating >= 4 and camera ~ \'canon\'" (~: contains; = is the whole text)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l reject -d 'record, by content, that the two given pictures are different'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l model -s m -d 'of an index with two models: use the vectors of this one' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l null -s 0 -d 'records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from dups' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l output -s o -d 'write map.png, map.jpg or map.html' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l tiles -d 'draw the pictures themselves in an image, each in a cell near its point'
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l pca -d 'the two leading principal components instead of t-SNE'
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l size -d 'pixels of the longer side' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l under -s u -d 'only pictures below this folder' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l after -d 'only pictures taken at this date or later: 2024, 2024-05, 2024-05-03T14:05' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l before -d 'only pictures taken before this date' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l camera -d 'only pictures of a camera with this in its name' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l keyword -d 'only pictures with this keyword (may be repeated: with all of them)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l near -d 'only pictures taken within KM kilometres of this place' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l where -d 'only pictures for which this holds, such as "rating >= 4 and camera ~ \'canon\'" (~: contains; = is the whole text)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l perplexity -d 't-SNE: effective number of neighbours' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l max-points -d 'use at most N pictures, evenly spaced' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l seed -d 't-SNE: seed of the random numbers' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l model -s m -d 'of an index with two models: use the vectors of this one' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from map' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l out -s o -d 'the weights to write (.safetensors); the card is put beside it' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l distill -d 'imitate these networks (or weights files with a card)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l loss -d 'cross entropy, or one made for retrieval' -x -a 'ce supcon arcface'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l layers -d 'only the last N layers learn; 0: all' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l size -d 'side of the input; resized to 8/7 of it before (default: the network\'s)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l dim -d 'add a linear layer with N outputs at the end' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l posteriors -d 'the layer of --dim also sees the probabilities of the classes that the network knows'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l inner -d 'the layer of --dim also sees the means of inner blocks\' maps, each of this length beside the last mean of length 1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l power -d 'the layer of --dim sees the last mean raised to P: few strong channels count less' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l fold -d 'batch norms become part of their convolutions before anything is learned'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l epochs -d 'times that each picture is seen' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l steps -d 'steps, instead of epochs' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l batch -d 'pictures a step' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l lr -d 'peak learning rate' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l val -d 'share of the pictures held out for validation; negative: none' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l holdout -d 'a folder that is never trained on, also where it is below DIR: how the network does on it is measured at the start and after each epoch (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l patience -d 'stop after N validations without a gain' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l min-crop -d 'smallest share of a picture in a crop' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l jitter -d 'how much brightness, contrast and saturation vary; negative: none' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l anchor -d 'pull of the weights towards the starting ones' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l blend -d 'share of the starting weights in the network that is validated and written' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l decay -d 'weight decay of new layers; negative: none' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l views -d '--distill: crops of each picture that the teachers see' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l teach -d '--distill: keep what the teachers say in this file; runs with the same teachers, --seed, --min-crop and --whole share it' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l whole -d '--distill: the first view is the whole picture, as when it is indexed'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l together -d '--distill: N views of a picture side by side in a batch' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l probabilities -d '--distill: weight of the teachers\' class probabilities beside their features; negative: none' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l own -d '--distill: weight of the starting network\'s own features beside the teachers\' in what is imitated' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l relational -d '--distill: weight of the similarities within a batch; negative: none' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l labels -d '--distill: weight of the folders\' classes' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l whiten -d '--distill: damp strong components by this power; negative: not' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l seed -d 'seed of the random numbers' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l resume -d 'go on from the checkpoint that an unfinished run left'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l restart -d 'discard that checkpoint'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l f32 -d 'write 32-bit weights instead of 16-bit ones'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l int8 -d 'write large matrices in 8 bits, with a scale for each row; not with --f32'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l name -d 'in the card: what the model is called (default: from --out)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l descent -d 'in the card: where it comes from' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l licence -d 'in the card: its terms' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l note -d 'in the card: anything else' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l model -s m -d 'model or network by name (see imgsearch model list), or weights with a card; of an index with two models: by which of them' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l weights -s w -d 'its weights: .pth, .safetensors, or TorchScript .pt, a program that runs: only from people you trust' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l device -d 'where the network runs: auto, cpu, cuda, cuda:1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l precision -d 'precision of the network (auto: bf16 where the CPU has it)' -x -a 'auto f32 bf16'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l formats -d 'also read formats that are off by default: +tiff,+video' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l video -d 'the same as --formats +video'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l resize -d 'short side after the resize (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l crop -d 'side of the centre crop (default: the network\'s own)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l squash -d 'resize both sides to the crop, whatever the aspect; cut nothing off'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l crops -d '5: average the features of the centre and the four corners' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l pooling -d 'how the network\'s maps or tokens become one feature (default: its own)' -x -a 'default mean max gem class'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l mean -d 'mean to subtract from values in 0..1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l std -d 'standard deviation to divide by after that' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l interpolation -d 'interpolation of the resize' -x -a 'default bilinear bicubic'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l full-decode -d 'decode JPEGs at full size: slower, exactly the reference transform'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l max-megapixels -d 'larger pictures are "too big"' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l max-memory -d 'what decoding may take, in all: 500M, 2G (default: a quarter of the memory)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l json -s j -d 'results as JSON, one object a line'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from train' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l port -s p -d 'port to listen on; 0: any free one' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l listen -d 'listen on this address instead of this machine alone' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l token-file -d 'requests must carry the first line of FILE (default: a random token in imgsearch/token of the user\'s state folder)' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l no-token -d 'requests need no token: every user of this machine may ask, add and delete'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l host -d 'also answer requests to this host name (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l origin -d 'where browsers find the server behind a proxy, such as https://photos.example (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l proxy -d 'many clients come from this address, so its connections have no limit of their own (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l socket -d 'unix socket to listen on (default: the index\'s path and .sock, where query and index look for it)' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l uploads -d 'pictures may be added from the page; they are kept in DIR, or with ":index:" in the index, where every server over it finds them' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l cache -d 'keep thumbnails in DIR (default: imgsearch in the user\'s cache folder)' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l cache-size -d 'keep at most SIZE of thumbnails, those that were used last' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l max-upload -d 'largest body of a request' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l access-log -d 'append a line for each request to FILE, or "-" for standard error: neither its token nor what it asks for' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l read-only -d 'nothing of the index can be changed from outside'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l db -s d -d 'the index (default: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards: repeated, or a text file of their addresses' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l root -d 'this machine has the folder NAME of the index at DIR (may be repeated)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l max-stale -d 'index on a server: answer by what is known of it for S seconds' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l partial -d 'index of shards: leave out those that cannot be reached'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l model -s m -d 'model or network by name (see imgsearch model list), or weights with a card; of an index with two models: by which of them' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l weights -s w -d 'its weights: .pth, .safetensors, or TorchScript .pt, a program that runs: only from people you trust' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l device -d 'where the network runs: auto, cpu, cuda, cuda:1' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l precision -d 'precision of the network (auto: bf16 where the CPU has it)' -x -a 'auto f32 bf16'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l formats -d 'also read formats that are off by default: +tiff,+video' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l video -d 'the same as --formats +video'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l threads -s t -d 'threads to use (default: one per available CPU)' -x
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from serve' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from help' -l man -d 'write the man page, for man -l -'
complete -c imgsearch -n '__fish_seen_subcommand_from help' -l man-pages -d 'write the man pages of all commands into a folder' -r -F
complete -c imgsearch -n '__fish_seen_subcommand_from help' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from help' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from help' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from complete' -l help -s h -d 'show this help'
complete -c imgsearch -n '__fish_seen_subcommand_from complete' -l quiet -s q -d 'no progress, no summaries; errors only'
complete -c imgsearch -n '__fish_seen_subcommand_from complete' -l verbose -s v -d 'write more about what is done'
complete -c imgsearch -n '__fish_seen_subcommand_from complete' -f -a 'bash zsh fish'
