from tests.console.conftest import _folder_for_static_files

__all__ = ["_folder_for_static_files"]
