#compdef imgsearch
# zsh completion for imgsearch; written by: imgsearch complete zsh
_imgsearch() {
	local command=$words[2]
	if (( CURRENT == 2 )); then
		compadd -- index query info list failed rm readmit backup copy export build extract model root shard vectors eval check dups map train serve help complete
		return
	fi
	case $command in
	model)
		if (( CURRENT == 3 )); then
			compadd -- list info pull add verify rm switch drop
			return
		fi
		command="$words[2] $words[3]"
		shift words
		(( CURRENT-- )) ;;
	root)
		if (( CURRENT == 3 )); then
			compadd -- mv
			return
		fi
		command="$words[2] $words[3]"
		shift words
		(( CURRENT-- )) ;;
	shard)
		if (( CURRENT == 3 )); then
			compadd -- list add move
			return
		fi
		command="$words[2] $words[3]"
		shift words
		(( CURRENT-- )) ;;
	vectors)
		if (( CURRENT == 3 )); then
			compadd -- import export
			return
		fi
		command="$words[2] $words[3]"
		shift words
		(( CURRENT-- )) ;;
	esac
	shift words
	(( CURRENT-- ))
	case $command in
	'index')
		_arguments -s \
			'*--exclude=[leave out what matches, now and in later runs (may be repeated)]:PATTERN:' \
			'--no-exclude[forget the patterns of --exclude of earlier runs]' \
			'*--include=[index only files that match, now and in later runs (may be repeated)]:PATTERN:' \
			'--no-include[forget the patterns of --include of earlier runs]' \
			'--no-default-excludes[for this run alone\: take in system folders, such as #recycle, unless they are hidden]' \
			'(-L --follow-links)'{-L,--follow-links}'[follow symbolic links, now and in later runs]' \
			'--no-follow-links[follow them no longer]' \
			'--formats=[also read formats that are off by default, now and in later runs\: +tiff,+video; no longer\: -tiff,-video]:LIST:' \
			'--video[the same as --formats +video]' \
			'--add-model=[keep the vectors of a second model beside those of the index, from now on\: imgsearch query --model NAME asks by it]:NAME:_files' \
			'--prune[let this run remove more than 30 % of a folder'\''s pictures]' \
			'--flip[average each feature with that of the mirrored picture\: better results for twice the work of the network; stored in the index]' \
			'--regions[also keep features of parts of pictures, now and in later runs, so that a small crop finds its picture\: a run takes four to eight times as long]' \
			'--no-regions[drop them, and keep none any more]' \
			'--retry[try damaged, unsupported and too big files again, even if they did not change]' \
			'--partial[take what is there of damaged pictures, and mark them (shards must all be there)]' \
			'--reread[read every file and compare its bytes, even if size and times did not change]' \
			'--csv=[attach the columns of this CSV (UTF-8, with a header row)]:FILE:_files' \
			'--key=[column with the file name or path (default\: file)]:COLUMN:' \
			'--title=[column that is shown with results (default\: title)]:COLUMN:' \
			'--no-server[do not use a running imgsearch serve]' \
			'--no-build[do not build the searcher afterwards]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-m --model)'{-m+,--model=}'[model or network by name (see imgsearch model list), or weights with a card; of an index with two models\: by which of them]:NAME:_files' \
			'(-w --weights)'{-w+,--weights=}'[its weights\: .pth, .safetensors, or TorchScript .pt, a program that runs\: only from people you trust]:FILE:_files' \
			'--device=[where the network runs\: auto, cpu, cuda, cuda\:1]:NAME:' \
			'--precision=[precision of the network (auto\: bf16 where the CPU has it)]:NAME:(auto f32 bf16)' \
			'--resize=[short side after the resize (default\: the network'\''s own)]:N:' \
			'--crop=[side of the centre crop (default\: the network'\''s own)]:N:' \
			'--squash[resize both sides to the crop, whatever the aspect; cut nothing off]' \
			'--crops=[5\: average the features of the centre and the four corners]:N:' \
			'--pooling=[how the network'\''s maps or tokens become one feature (default\: its own)]:NAME:(default mean max gem class)' \
			'--mean=[mean to subtract from values in 0..1]:R,G,B:' \
			'--std=[standard deviation to divide by after that]:R,G,B:' \
			'--interpolation=[interpolation of the resize]:NAME:(default bilinear bicubic)' \
			'--full-decode[decode JPEGs at full size\: slower, exactly the reference transform]' \
			'--max-megapixels=[larger pictures are "too big"]:N:' \
			'--max-memory=[what decoding may take, in all\: 500M, 2G (default\: a quarter of the memory)]:SIZE:' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-0 --null)'{-0,--null}'[records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'query')
		_arguments -s \
			'(-k --k)'{-k+,--k=}'[how many pictures to show]:N:' \
			'--min-score=[leave out pictures with a lower score]:S:' \
			'--max-chance=[end the list where more than X pictures would score as high by chance]:X:' \
			'--no-self[leave out the query itself (with --combine\: all its pictures) when it is in the index]' \
			'(-u --under)'{-u+,--under=}'[only pictures below this folder]:DIR:_files -/' \
			'--after=[only pictures taken at this date or later\: 2024, 2024-05, 2024-05-03T14\:05]:DATE:' \
			'--before=[only pictures taken before this date]:DATE:' \
			'--camera=[only pictures of a camera with this in its name]:TEXT:' \
			'*--keyword=[only pictures with this keyword (may be repeated\: with all of them)]:WORD:' \
			'--near=[only pictures taken within KM kilometres of this place]:LAT,LON,KM:' \
			'--where=[only pictures for which this holds, such as "rating >= 4 and camera ~ '\''canon'\''" (~\: contains; = is the whole text)]:COND:' \
			'--crop=[search with this part of each picture, in pixels of the upright picture]:X,Y,W,H:' \
			'(-c --combine)'{-c,--combine}'[all pictures together are one query]' \
			'*--text=[search for what a text says; with pictures or other texts they are one query (may be repeated)]:TEXT:' \
			'*--not[move the query away from the next picture or text]' \
			'*--weight=[how much the next picture or text counts; 1 is usual, after --not 0.5]:W:' \
			'--template=[the sentence that each text is put into, in the place of its {} (default\: the model'\''s own)]:T:' \
			'(-p --paths)'{-p,--paths}'[write paths alone, without score and title]' \
			'--html=[also write queries and results as a page with the pictures in it]:FILE:_files' \
			'--sheet=[also write them as a contact sheet (PNG or JPEG)]:FILE.png:_files' \
			'--preview[show the pictures in the terminal]' \
			'--no-server[do not use a running imgsearch serve]' \
			'(-s --searcher)'{-s+,--searcher=}'[search with this searcher, not with the one that the index chose]:NAME:(exact kdtree pca graph pgvector scan)' \
			'--recall=[graph, pgvector\: recall to aim at]:R:' \
			'--ef=[graph, pgvector\: width of the beam, instead of --recall]:N:' \
			'--checks=[kdtree, pca\: compare at most N rows]:N:' \
			'--epsilon=[kdtree\: distances within (1 + E) of the true ones]:E:' \
			'--plain[use the features as they are\: no mean subtracted, no other improvement]' \
			'--whole[compare whole pictures alone, where the index keeps features of their parts]' \
			'--expand=[query expansion\: search again with the mean of the query and its first N results]:N:' \
			'--expand-power=[with --expand\: weight each result by its score to the power of A]:A:' \
			'--reciprocal=[re-rank the first 500 results by common k-reciprocal neighbours]:K:' \
			'--views=[search with the mean feature of N views\: the picture, its centre, its corners]:N:' \
			'--vectors=[queries are the rows of this .npy, .fvecs or .fbin file]:FILE:_files' \
			'--ids=[with --vectors\: write ids (n, k) as int64, -1 where there are fewer]:FILE.npy:_files' \
			'--distances=[with --vectors\: write distances (n, k) as f32, NaN where there are fewer]:FILE.npy:_files' \
			'--batch=[with --vectors\: queries in a batch; 1\: one by one]:N:' \
			'--stats[with --vectors\: write times and memory as one JSON line]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-m --model)'{-m+,--model=}'[model or network by name (see imgsearch model list), or weights with a card; of an index with two models\: by which of them]:NAME:_files' \
			'(-w --weights)'{-w+,--weights=}'[its weights\: .pth, .safetensors, or TorchScript .pt, a program that runs\: only from people you trust]:FILE:_files' \
			'--device=[where the network runs\: auto, cpu, cuda, cuda\:1]:NAME:' \
			'--precision=[precision of the network (auto\: bf16 where the CPU has it)]:NAME:(auto f32 bf16)' \
			'--formats=[also read formats that are off by default\: +tiff,+video]:LIST:' \
			'--video[the same as --formats +video]' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-0 --null)'{-0,--null}'[records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'info')
		_arguments -s \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'list')
		_arguments -s \
			'--state=[paths in this state (default\: indexed, duplicate, link)]:STATE:(all indexed duplicate unsupported damaged too-big excluded unreadable kept-out link)' \
			'(-p --paths)'{-p,--paths}'[write paths alone]' \
			'--sort=[order by path (default), date, rating or id; pictures without a date or a rating come last]:BY:(path date rating id)' \
			'(-r --reverse)'{-r,--reverse}'[the other way round]' \
			'--limit=[show at most N]:N:' \
			'--offset=[leave out the first N]:N:' \
			'--after=[only pictures taken at this date or later\: 2024, 2024-05, 2024-05-03T14\:05]:DATE:' \
			'--before=[only pictures taken before this date]:DATE:' \
			'--camera=[only pictures of a camera with this in its name]:TEXT:' \
			'*--keyword=[only pictures with this keyword (may be repeated\: with all of them)]:WORD:' \
			'--near=[only pictures taken within KM kilometres of this place]:LAT,LON,KM:' \
			'--where=[only pictures for which this holds, such as "rating >= 4 and camera ~ '\''canon'\''" (~\: contains; = is the whole text)]:COND:' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-0 --null)'{-0,--null}'[records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'failed')
		_arguments -s \
			'(-p --paths)'{-p,--paths}'[write paths alone]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-0 --null)'{-0,--null}'[records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'rm')
		_arguments -s \
			'--keep-out[keep them and their copies out for good\: no imgsearch index takes them in again]' \
			'--dry-run[only show what would be removed]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-0 --null)'{-0,--null}'[records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'readmit')
		_arguments -s \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-0 --null)'{-0,--null}'[records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'backup')
		_arguments -s \
			'(-f --force)'{-f,--force}'[replace FILE where it exists]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'copy')
		_arguments -s \
			'--restart[drop what an incomplete copy has, and start over]' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'export')
		_arguments -s \
			'--compared[write the vectors as queries compare them\: the mean of all subtracted where the index does so, and of length 1 for cosine]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-m --model)'{-m+,--model=}'[of an index with two models\: use the vectors of this one]:NAME:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'build')
		_arguments -s \
			'(-s --searcher)'{-s+,--searcher=}'[searcher to build]:NAME:(auto exact kdtree pca graph pgvector)' \
			'--variance=[pca\: share of the variance that is kept]:V:' \
			'--components=[pca, kdtree\: number of components, instead of --variance]:N:' \
			'--whiten[pca\: scale the components to equal variance]' \
			'--degree=[graph\: neighbours of a node]:N:' \
			'--beam=[graph\: width of the beam while building]:N:' \
			'--seed=[seed of the random numbers]:N:' \
			'--stats[write time and size as one JSON line]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-m --model)'{-m+,--model=}'[of an index with two models\: use the vectors of this one]:NAME:' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'extract')
		_arguments -s \
			'(-o --output)'{-o+,--output=}'[write the features here (.npy or .fvecs)]:FILE.npy:_files' \
			'--raw[features as the network gives them, not normalised]' \
			'*--text=[also a row for this text (may be repeated)]:TEXT:' \
			'--template=[each text is within this one, in the place of its {}, not within the model'\''s own]:T:' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-m --model)'{-m+,--model=}'[model or network by name (see imgsearch model list), or weights with a card; of an index with two models\: by which of them]:NAME:_files' \
			'(-w --weights)'{-w+,--weights=}'[its weights\: .pth, .safetensors, or TorchScript .pt, a program that runs\: only from people you trust]:FILE:_files' \
			'--device=[where the network runs\: auto, cpu, cuda, cuda\:1]:NAME:' \
			'--precision=[precision of the network (auto\: bf16 where the CPU has it)]:NAME:(auto f32 bf16)' \
			'--formats=[also read formats that are off by default\: +tiff,+video]:LIST:' \
			'--video[the same as --formats +video]' \
			'--resize=[short side after the resize (default\: the network'\''s own)]:N:' \
			'--crop=[side of the centre crop (default\: the network'\''s own)]:N:' \
			'--squash[resize both sides to the crop, whatever the aspect; cut nothing off]' \
			'--crops=[5\: average the features of the centre and the four corners]:N:' \
			'--pooling=[how the network'\''s maps or tokens become one feature (default\: its own)]:NAME:(default mean max gem class)' \
			'--mean=[mean to subtract from values in 0..1]:R,G,B:' \
			'--std=[standard deviation to divide by after that]:R,G,B:' \
			'--interpolation=[interpolation of the resize]:NAME:(default bilinear bicubic)' \
			'--full-decode[decode JPEGs at full size\: slower, exactly the reference transform]' \
			'--max-megapixels=[larger pictures are "too big"]:N:' \
			'--max-memory=[what decoding may take, in all\: 500M, 2G (default\: a quarter of the memory)]:SIZE:' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'model list')
		_arguments -s \
			'(-a --all)'{-a,--all}'[every model and network, not only some to choose from and those that are here]' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'model info')
		_arguments -s \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'model pull')
		_arguments -s \
			'--accept-licence[accept a licence that restricts what the model may be used for]' \
			'--from=[a mirror\: what follows https\:// in an address is looked for below URL]:URL:' \
			'--timeout=[give up a server that sends nothing for S seconds]:S:' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'model add')
		_arguments -s \
			'(-n --name)'{-n+,--name=}'[what the model is called from now on]:NAME:' \
			'--network=[the network that the weights are for (see imgsearch model list --all)]:NAME:' \
			'--licence=[its licence, to be shown]:TEXT:' \
			'--good-at=[what it is good at, to be shown]:TEXT:' \
			'(-f --force)'{-f,--force}'[replace a model of that name]' \
			'--resize=[short side after the resize (default\: the network'\''s own)]:N:' \
			'--crop=[side of the centre crop (default\: the network'\''s own)]:N:' \
			'--squash[resize both sides to the crop, whatever the aspect; cut nothing off]' \
			'--crops=[5\: average the features of the centre and the four corners]:N:' \
			'--pooling=[how the network'\''s maps or tokens become one feature (default\: its own)]:NAME:(default mean max gem class)' \
			'--mean=[mean to subtract from values in 0..1]:R,G,B:' \
			'--std=[standard deviation to divide by after that]:R,G,B:' \
			'--interpolation=[interpolation of the resize]:NAME:(default bilinear bicubic)' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'model verify')
		_arguments -s \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'model rm')
		_arguments -s \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'model switch')
		_arguments -s \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'model drop')
		_arguments -s \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'root mv')
		_arguments -s \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'shard list')
		_arguments -s \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'shard add')
		_arguments -s \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'shard move')
		_arguments -s \
			'--from=[out of shard N, all of it (default\: those that have most)]:N:' \
			'--to=[into shard N, until it has as many as the others, or --buckets (default\: those that have least)]:N:' \
			'--buckets=[at most N of the 1024 parts]:N:' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'vectors import')
		_arguments -s \
			'--ids=[ids of the rows, int64 (default\: counted on from the largest id ever given, from 0 in a new index)]:FILE.npy:_files' \
			'--metric=[metric of a new index (default\: cosine)]:NAME:(cosine l2 ip)' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'vectors export')
		_arguments -s \
			'--ids=[write the ids here, int64]:FILE.npy:_files' \
			'--f16[write float16 (.npy only)]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-m --model)'{-m+,--model=}'[of an index with two models\: use the vectors of this one]:NAME:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'eval')
		_arguments -s \
			'--queries=[use the pictures of this folder as queries, instead of those of the index]:DIR:_files -/' \
			'--truth=[CSV of queries and their relevant pictures, instead of folders]:FILE:_files' \
			'--text=[CSV of texts and their relevant pictures\: the texts are the queries]:FILE:_files' \
			'--template=[the sentence that each text is put into, in the place of its {} (default\: the model'\''s own)]:T:' \
			'--groups[use groups of near-duplicates as classes, instead of folders]' \
			'--duplicates=[make altered copies of N pictures and search for their originals]:N:' \
			'--sample=[use at most N queries, evenly spaced]:N:' \
			'--threshold=[also print the F1 score at this threshold]:S:' \
			'--plain[use the features as they are\: no mean subtracted, no other improvement]' \
			'--whiten=[measure on N principal components of equal variance (PCA whitening)]:N:' \
			'(-u --under)'{-u+,--under=}'[only pictures below this folder]:DIR:_files -/' \
			'--after=[only pictures taken at this date or later\: 2024, 2024-05, 2024-05-03T14\:05]:DATE:' \
			'--before=[only pictures taken before this date]:DATE:' \
			'--camera=[only pictures of a camera with this in its name]:TEXT:' \
			'*--keyword=[only pictures with this keyword (may be repeated\: with all of them)]:WORD:' \
			'--near=[only pictures taken within KM kilometres of this place]:LAT,LON,KM:' \
			'--where=[only pictures for which this holds, such as "rating >= 4 and camera ~ '\''canon'\''" (~\: contains; = is the whole text)]:COND:' \
			'--expand=[query expansion\: search again with the mean of the query and its first N results]:N:' \
			'--expand-power=[with --expand\: weight each result by its score to the power of A]:A:' \
			'--reciprocal=[re-rank the first 500 results by common k-reciprocal neighbours]:K:' \
			'--views=[search with the mean feature of N views\: the picture, its centre, its corners]:N:' \
			'--seed=[seed of the random numbers]:N:' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-m --model)'{-m+,--model=}'[model or network by name (see imgsearch model list), or weights with a card; of an index with two models\: by which of them]:NAME:_files' \
			'(-w --weights)'{-w+,--weights=}'[its weights\: .pth, .safetensors, or TorchScript .pt, a program that runs\: only from people you trust]:FILE:_files' \
			'--device=[where the network runs\: auto, cpu, cuda, cuda\:1]:NAME:' \
			'--precision=[precision of the network (auto\: bf16 where the CPU has it)]:NAME:(auto f32 bf16)' \
			'--formats=[also read formats that are off by default\: +tiff,+video]:LIST:' \
			'--video[the same as --formats +video]' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'check')
		_arguments -s \
			'--recall=[also search for N stored vectors with every searcher and compare with a scan]:N:' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'dups')
		_arguments -s \
			'--kind=[only this kind]:KIND:(bytes picture scene)' \
			'--min-score=[score from which two pictures show the same scene (default\: scene_score of the model'\''s card, else 0.92)]:S:' \
			'(-u --under)'{-u+,--under=}'[only pictures below this folder]:DIR:_files -/' \
			'--after=[only pictures taken at this date or later\: 2024, 2024-05, 2024-05-03T14\:05]:DATE:' \
			'--before=[only pictures taken before this date]:DATE:' \
			'--camera=[only pictures of a camera with this in its name]:TEXT:' \
			'*--keyword=[only pictures with this keyword (may be repeated\: with all of them)]:WORD:' \
			'--near=[only pictures taken within KM kilometres of this place]:LAT,LON,KM:' \
			'--where=[only pictures for which this holds, such as "rating >= 4 and camera ~ '\''canon'\''" (~\: contains; = is the whole text)]:COND:' \
			'--reject[record, by content, that the two given pictures are different]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-m --model)'{-m+,--model=}'[of an index with two models\: use the vectors of this one]:NAME:' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-0 --null)'{-0,--null}'[records end with NUL instead of a newline, in and out; fields of a record are separated by tabs as without]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'map')
		_arguments -s \
			'(-o --output)'{-o+,--output=}'[write map.png, map.jpg or map.html]:FILE:_files' \
			'--tiles[draw the pictures themselves in an image, each in a cell near its point]' \
			'--pca[the two leading principal components instead of t-SNE]' \
			'--size=[pixels of the longer side]:N:' \
			'(-u --under)'{-u+,--under=}'[only pictures below this folder]:DIR:_files -/' \
			'--after=[only pictures taken at this date or later\: 2024, 2024-05, 2024-05-03T14\:05]:DATE:' \
			'--before=[only pictures taken before this date]:DATE:' \
			'--camera=[only pictures of a camera with this in its name]:TEXT:' \
			'*--keyword=[only pictures with this keyword (may be repeated\: with all of them)]:WORD:' \
			'--near=[only pictures taken within KM kilometres of this place]:LAT,LON,KM:' \
			'--where=[only pictures for which this holds, such as "rating >= 4 and camera ~ '\''canon'\''" (~\: contains; = is the whole text)]:COND:' \
			'--perplexity=[t-SNE\: effective number of neighbours]:P:' \
			'--max-points=[use at most N pictures, evenly spaced]:N:' \
			'--seed=[t-SNE\: seed of the random numbers]:N:' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-m --model)'{-m+,--model=}'[of an index with two models\: use the vectors of this one]:NAME:' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'train')
		_arguments -s \
			'(-o --out)'{-o+,--out=}'[the weights to write (.safetensors); the card is put beside it]:FILE:_files' \
			'--distill=[imitate these networks (or weights files with a card)]:NAME=FILE,...:' \
			'--loss=[cross entropy, or one made for retrieval]:LOSS:(ce supcon arcface)' \
			'--layers=[only the last N layers learn; 0\: all]:N:' \
			'--size=[side of the input; resized to 8/7 of it before (default\: the network'\''s)]:PIXELS:' \
			'--dim=[add a linear layer with N outputs at the end]:N:' \
			'--posteriors[the layer of --dim also sees the probabilities of the classes that the network knows]' \
			'--inner=[the layer of --dim also sees the means of inner blocks'\'' maps, each of this length beside the last mean of length 1]:WEIGHT:' \
			'--power=[the layer of --dim sees the last mean raised to P\: few strong channels count less]:P:' \
			'--fold[batch norms become part of their convolutions before anything is learned]' \
			'--epochs=[times that each picture is seen]:N:' \
			'--steps=[steps, instead of epochs]:N:' \
			'--batch=[pictures a step]:N:' \
			'--lr=[peak learning rate]:RATE:' \
			'--val=[share of the pictures held out for validation; negative\: none]:SHARE:' \
			'*--holdout=[a folder that is never trained on, also where it is below DIR\: how the network does on it is measured at the start and after each epoch (may be repeated)]:DIR:' \
			'--patience=[stop after N validations without a gain]:N:' \
			'--min-crop=[smallest share of a picture in a crop]:SHARE:' \
			'--jitter=[how much brightness, contrast and saturation vary; negative\: none]:SHARE:' \
			'--anchor=[pull of the weights towards the starting ones]:PULL:' \
			'--blend=[share of the starting weights in the network that is validated and written]:SHARE:' \
			'--decay=[weight decay of new layers; negative\: none]:DECAY:' \
			'--views=[--distill\: crops of each picture that the teachers see]:N:' \
			'--teach=[--distill\: keep what the teachers say in this file; runs with the same teachers, --seed, --min-crop and --whole share it]:FILE:_files' \
			'--whole[--distill\: the first view is the whole picture, as when it is indexed]' \
			'--together=[--distill\: N views of a picture side by side in a batch]:N:' \
			'--probabilities=[--distill\: weight of the teachers'\'' class probabilities beside their features; negative\: none]:WEIGHT:' \
			'--own=[--distill\: weight of the starting network'\''s own features beside the teachers'\'' in what is imitated]:WEIGHT:' \
			'--relational=[--distill\: weight of the similarities within a batch; negative\: none]:WEIGHT:' \
			'--labels=[--distill\: weight of the folders'\'' classes]:WEIGHT:' \
			'--whiten=[--distill\: damp strong components by this power; negative\: not]:POWER:' \
			'--seed=[seed of the random numbers]:N:' \
			'--resume[go on from the checkpoint that an unfinished run left]' \
			'--restart[discard that checkpoint]' \
			'--f32[write 32-bit weights instead of 16-bit ones]' \
			'--int8[write large matrices in 8 bits, with a scale for each row; not with --f32]' \
			'--name=[in the card\: what the model is called (default\: from --out)]:NAME:' \
			'--descent=[in the card\: where it comes from]:TEXT:' \
			'--licence=[in the card\: its terms]:TEXT:' \
			'--note=[in the card\: anything else]:TEXT:' \
			'(-m --model)'{-m+,--model=}'[model or network by name (see imgsearch model list), or weights with a card; of an index with two models\: by which of them]:NAME:_files' \
			'(-w --weights)'{-w+,--weights=}'[its weights\: .pth, .safetensors, or TorchScript .pt, a program that runs\: only from people you trust]:FILE:_files' \
			'--device=[where the network runs\: auto, cpu, cuda, cuda\:1]:NAME:' \
			'--precision=[precision of the network (auto\: bf16 where the CPU has it)]:NAME:(auto f32 bf16)' \
			'--formats=[also read formats that are off by default\: +tiff,+video]:LIST:' \
			'--video[the same as --formats +video]' \
			'--resize=[short side after the resize (default\: the network'\''s own)]:N:' \
			'--crop=[side of the centre crop (default\: the network'\''s own)]:N:' \
			'--squash[resize both sides to the crop, whatever the aspect; cut nothing off]' \
			'--crops=[5\: average the features of the centre and the four corners]:N:' \
			'--pooling=[how the network'\''s maps or tokens become one feature (default\: its own)]:NAME:(default mean max gem class)' \
			'--mean=[mean to subtract from values in 0..1]:R,G,B:' \
			'--std=[standard deviation to divide by after that]:R,G,B:' \
			'--interpolation=[interpolation of the resize]:NAME:(default bilinear bicubic)' \
			'--full-decode[decode JPEGs at full size\: slower, exactly the reference transform]' \
			'--max-megapixels=[larger pictures are "too big"]:N:' \
			'--max-memory=[what decoding may take, in all\: 500M, 2G (default\: a quarter of the memory)]:SIZE:' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-j --json)'{-j,--json}'[results as JSON, one object a line]' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'serve')
		_arguments -s \
			'(-p --port)'{-p+,--port=}'[port to listen on; 0\: any free one]:N:' \
			'--listen=[listen on this address instead of this machine alone]:ADDRESS:' \
			'--token-file=[requests must carry the first line of FILE (default\: a random token in imgsearch/token of the user'\''s state folder)]:FILE:_files' \
			'--no-token[requests need no token\: every user of this machine may ask, add and delete]' \
			'*--host=[also answer requests to this host name (may be repeated)]:NAME:' \
			'*--origin=[where browsers find the server behind a proxy, such as https\://photos.example (may be repeated)]:URL:' \
			'*--proxy=[many clients come from this address, so its connections have no limit of their own (may be repeated)]:ADDRESS:' \
			'--socket=[unix socket to listen on (default\: the index'\''s path and .sock, where query and index look for it)]:PATH:_files' \
			'--uploads=[pictures may be added from the page; they are kept in DIR, or with "\:index\:" in the index, where every server over it finds them]:DIR:_files -/' \
			'--cache=[keep thumbnails in DIR (default\: imgsearch in the user'\''s cache folder)]:DIR:_files -/' \
			'--cache-size=[keep at most SIZE of thumbnails, those that were used last]:SIZE:' \
			'--max-upload=[largest body of a request]:MB:' \
			'--access-log=[append a line for each request to FILE, or "-" for standard error\: neither its token nor what it asks for]:FILE:_files' \
			'--read-only[nothing of the index can be changed from outside]' \
			'*--db=[the index (default\: $IMGSEARCH_DB, else imgsearch/index.db in the XDG data folder); of shards\: repeated, or a text file of their addresses]:FILE:_files' \
			'*--root=[this machine has the folder NAME of the index at DIR (may be repeated)]:NAME=DIR:' \
			'--max-stale=[index on a server\: answer by what is known of it for S seconds]:S:' \
			'--partial[index of shards\: leave out those that cannot be reached]' \
			'(-m --model)'{-m+,--model=}'[model or network by name (see imgsearch model list), or weights with a card; of an index with two models\: by which of them]:NAME:_files' \
			'(-w --weights)'{-w+,--weights=}'[its weights\: .pth, .safetensors, or TorchScript .pt, a program that runs\: only from people you trust]:FILE:_files' \
			'--device=[where the network runs\: auto, cpu, cuda, cuda\:1]:NAME:' \
			'--precision=[precision of the network (auto\: bf16 where the CPU has it)]:NAME:(auto f32 bf16)' \
			'--formats=[also read formats that are off by default\: +tiff,+video]:LIST:' \
			'--video[the same as --formats +video]' \
			'(-t --threads)'{-t+,--threads=}'[threads to use (default\: one per available CPU)]:N:' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' ;;
	'help')
		_arguments -s \
			'--man[write the man page, for man -l -]' \
			'--man-pages=[write the man pages of all commands into a folder]:DIR:_files' \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:file:_files' ;;
	'complete')
		_arguments -s \
			'(-h --help)'{-h,--help}'[show this help]' \
			'(-q --quiet)'{-q,--quiet}'[no progress, no summaries; errors only]' \
			'(-v --verbose)'{-v,--verbose}'[write more about what is done]' \
			'*:word:(bash zsh fish)' ;;
	esac
}
_imgsearch "$@"
