import pytest

from hftoolkit.errors import HubError
from hftoolkit.hub.packages import package_folder


def test_the_program_itself_is_no_package() -> None:
    with pytest.raises(HubError, match="the package '__main__' is not installed"):
        package_folder("package:__main__/model")
