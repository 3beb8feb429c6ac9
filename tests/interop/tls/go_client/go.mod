module betanet/tls_client

go 1.24
