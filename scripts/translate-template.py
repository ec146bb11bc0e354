"""Translates a SAM template into the CloudFormation template that a deployment would send.

Usage: translate-template.py TEMPLATE OUTPUT. Runs without AWS: managed policies are given by ARN, none is looked up.
"""

import sys
from pathlib import Path

from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse


class NoManagedPolicies:
    """Stands in for the list that would be read from IAM."""

    def load(self):
        return {}


def main() -> None:
    source, output = map(Path, sys.argv[1:])
    template = yaml_parse(source.read_text(encoding="utf-8"))
    translated = SamTemplateValidator(template, NoManagedPolicies()).get_translated_template_if_valid()
    output.write_text(translated, encoding="utf-8")


if __name__ == "__main__":
    main()
