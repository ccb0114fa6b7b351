"""Configurations that several tests start from."""

# One job whose page is /app of the exporter at {target}; everything happens every second.
ONE_APP = """
    global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
    rule_files: [rules.yml]
    scrape_configs:
      - job_name: app
        metrics_path: /app
        static_configs: [{{targets: ['{target}']}}]
"""
