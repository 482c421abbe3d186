"""Data sets. A loader takes the real files from COURSE_DATA_DIR, the cache or the network, whichever
has them intact; failing all, it returns a small stand-in that comes with the course, and says so.

To add a data set: describe its files in bundled/registry.toml; write one function that turns the
files into data and one that makes the stand-in; join them with `obtain`, as `images.mnist` does.
"""

from course_utils.data.cells import blood_cells, nuclei
from course_utils.data.download import DataError
from course_utils.data.files import (
    cache_folder,
    checkout,
    data_dir_mistake,
    describe,
    disk_mb,
    download_mb,
    fetch,
    is_here,
    registry,
    status,
    usual,
)
from course_utils.data.images import cifar10, digits, fashion_mnist, mnist
from course_utils.data.models import gpt2, small_gpt2
from course_utils.data.movielens import movielens
from course_utils.data.omniglot import omniglot, orl_faces
from course_utils.data.prose import course_text
from course_utils.data.questions import cmrc2018, xquad
from course_utils.data.speech import spoken_digits
from course_utils.data.tagging import ud_chinese, weibo_ner, wnut17
from course_utils.data.text import chnsenticorp, gpt2_bpe, imdb, tang_poems, tiny_shakespeare
from course_utils.data.translation import cmn_eng

__all__ = [
    "DataError",
    "blood_cells",
    "cache_folder",
    "checkout",
    "chnsenticorp",
    "cifar10",
    "cmn_eng",
    "cmrc2018",
    "course_text",
    "data_dir_mistake",
    "describe",
    "digits",
    "disk_mb",
    "download_mb",
    "fashion_mnist",
    "fetch",
    "gpt2",
    "gpt2_bpe",
    "imdb",
    "is_here",
    "mnist",
    "movielens",
    "nuclei",
    "omniglot",
    "orl_faces",
    "registry",
    "small_gpt2",
    "spoken_digits",
    "status",
    "tang_poems",
    "tiny_shakespeare",
    "ud_chinese",
    "usual",
    "weibo_ner",
    "wnut17",
    "xquad",
]
