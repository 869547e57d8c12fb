"""Previews the program of the working directory through Pulumi's automation
API and prints, as JSON, how many resources each operation would touch."""

import json
import runpy

from pulumi import automation

stack = automation.create_or_select_stack(
    stack_name="check",
    project_name="chat-python",
    program=lambda: runpy.run_path("__main__.py", run_name="__main__") and None,
)
print(json.dumps(stack.preview().change_summary))
